#include "perennial/report/matte_sections.h"

#include <algorithm>

#include "perennial/base/bytes.h"
#include "perennial/base/files.h"
#include "perennial/report/html.h"
#include "perennial/report/json_value.h"
#include "perennial/report/svg.h"

namespace perennial::report {
namespace {

constexpr size_t kMostChunks = 1000;

struct Point {
  double epoch, loss, iou;
};

struct Chunk {
  std::string data;
  double images, held_out, seconds, before;
  std::vector<Point> curve;
};

Chunk read_chunk(const Value& v) {
  Chunk chunk{v.at("data").required_text(),
              v.at("images").number(0, kHuge),
              v.at("held_out").number(0, kHuge),
              v.at("seconds").number(0, kHuge),
              v.at("before").at("foreground_iou").or_unknown(0, 1),
              {}};
  for (const Value& p : v.at("curve").items())
    chunk.curve.push_back({p.at("epoch").number(0, kHuge),
                           p.at("loss").given() ? p.at("loss").number(-kHuge, kHuge) : 0,
                           p.at("foreground_iou").number(0, 1)});
  return chunk;
}

std::string name_of(size_t chunk) { return chunk == 0 ? "first data" : "update " + std::to_string(chunk); }

std::string curve_section(const std::vector<Chunk>& chunks) {
  LineChart chart;
  chart.label = "Foreground IoU over the epochs";
  chart.x_title = "epochs";
  chart.y_title = "foreground IoU, %";
  Series series{"held-out photographs", "var(--accent)", {}, {}};
  std::string losses;
  for (size_t c = 0; c < chunks.size(); ++c) {
    for (const Point& p : chunks[c].curve) {
      series.points.emplace_back(p.epoch, p.iou);
      losses += fmt::format("<tr><td>{:.0f}</td><td>{}</td><td>{:.4f}</td><td>{}</td></tr>\n", p.epoch,
                            name_of(c), p.loss, percent(p.iou, 2));
    }
    if (!chunks[c].curve.empty()) {
      chart.bounds.push_back(chunks[c].curve.back().epoch);
      chart.bound_names.push_back(name_of(c));
    }
  }
  if (series.points.empty()) return "";
  chart.series = {series};
  return html_section(
      "Over the epochs",
      "<p>Of the model as it stood, on photographs that it does not learn from. The best epoch chooses "
      "nothing.</p>",
      draw(chart) +
          "<details><summary>figures</summary><table class=\"short\"><thead><tr><th>epoch</th>"
          "<th>data</th><th>loss</th><th>foreground IoU, %</th></tr></thead><tbody>\n" +
          losses + "</tbody></table></details>\n");
}

std::string chunks_section(const std::vector<Chunk>& chunks) {
  std::string rows;
  for (size_t c = 0; c < chunks.size(); ++c)
    rows += fmt::format(
        "<tr><td>{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        name_of(c), escape_html(chunks[c].data), grouped(chunks[c].images), grouped(chunks[c].held_out),
        percent(chunks[c].before, 2), duration(chunks[c].seconds));
  return html_section(
      "Folder after folder", "<p>Photographs that were learned from and held out.</p>",
      "<div class=\"scroll\"><table><thead><tr><th></th><th class=\"text\">data</th><th>learned from</th>"
      "<th>held out</th><th>IoU before it, %</th><th>time</th></tr></thead><tbody>\n" +
          rows + "</tbody></table></div>\n");
}

std::string pictures_section(const std::filesystem::path& run, const Value& sheet) {
  if (!sheet.given()) return "";
  const std::filesystem::path name = sheet.at("file").required_text();
  if (name.empty() || name != name.filename() || name == "." || name == "..")
    sheet.at("file").fail("the name of a file inside the run");
  const std::string png = read_file(run / name, int64_t{1} << 26);
  return html_section(
      "Mattes",
      "<p>Held-out photographs, from left to right: as taken, cut out by the true mask, by the model before "
      "this training, by the model now.</p>",
      "<img alt=\"photographs and their mattes\" style=\"max-width:100%\" src=\"data:image/png;base64," +
          base64(png) + "\">\n");
}

}  // namespace

std::string matte_sections(const std::filesystem::path& run) {
  const std::filesystem::path file = run / "metrics.json";
  const Json json = read_json(file);
  const Value root(file, &json, "");
  std::vector<Chunk> chunks;
  for (const Value& v : root.at("chunks").items(kMostChunks)) chunks.push_back(read_chunk(v));
  if (chunks.empty()) root.at("chunks").fail("an array of at least 1");
  return curve_section(chunks) + chunks_section(chunks) + pictures_section(run, root.at("sheet"));
}

}  // namespace perennial::report
