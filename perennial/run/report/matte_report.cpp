#include "perennial/run/report/matte_report.h"

#include <algorithm>

#include "perennial/base/bytes.h"
#include "perennial/base/files.h"
#include "perennial/run/report/html.h"
#include "perennial/run/report/json_value.h"
#include "perennial/run/report/metrics.h"
#include "perennial/run/report/svg.h"

namespace perennial::report {
namespace {

constexpr size_t kMostChunks = 1000;

struct Point {
  double epoch, loss, iou;
};

struct Chunk {
  std::string data;
  double images, held_out, seconds, before;
  std::vector<double> after;  ///< foreground IoU on each chunk so far; NaN where unknown
  std::vector<Point> curve;
};

Chunk read_chunk(const Value& v) {
  Chunk chunk{v.at("data").required_text(),
              v.at("images").number(0, kHuge),
              v.at("held_out").number(0, kHuge),
              v.at("seconds").number(0, kHuge),
              v.at("before").at("foreground_iou").or_unknown(0, 1),
              {},
              {}};
  for (const Value& s : v.at("after").items(kMostChunks))
    chunk.after.push_back(s.at("foreground_iou").or_unknown(0, 1));
  for (const Value& p : v.at("curve").items())
    chunk.curve.push_back({p.at("epoch").number(0, kHuge), p.at("loss").number(-kHuge, kHuge),
                           p.at("foreground_iou").number(0, 1)});
  return chunk;
}

std::string name_of(size_t chunk) { return chunk == 0 ? "first data" : "update " + std::to_string(chunk); }

std::string head(const Value& root) {
  std::string out = "<header>\n<div class=\"kicker\">Perennial run report · version " +
                    escape_html(root.at("version").text()) + "</div>\n<h1>Mattes from " +
                    escape_html(root.at("data").required_text()) +
                    "</h1>\n<p class=\"about\">SINet (Park et al., WACV 2020)</p>\n";
  const std::string weights = root.at("weights").text();
  out += "<p class=\"about\">begun from <b>" + (weights.empty() ? "nothing" : escape_html(weights)) +
         "</b> · learner <b>" + escape_html(root.at("learner").required_text()) + "</b> · seed <b>" +
         std::to_string(root.at("seed").whole(0, int64_t{1} << 53)) + "</b></p>\n";
  if (!root.at("finished").flag())
    out += "<p class=\"notice\"><strong>Not finished.</strong> Figures are of the last measurement.</p>\n";
  return out + "</header>\n";
}

std::string headline(const Value& root, const std::vector<Chunk>& chunks) {
  const auto iou = root.at("foreground_iou").maybe(0, 1);
  std::string out = "<div class=\"headline\">\n<div class=\"big\"><b>" + percent(iou) +
                    (iou ? "<i>%</i>" : "") +
                    "</b><span>foreground IoU <i>held-out photographs</i></span></div>\n<dl "
                    "class=\"facts\">\n";
  out += fact(percent(chunks.back().before, 2) + " <i>%</i>", "foreground IoU before this training");
  out += fact(percent(root.at("miou").maybe(0, 1)) + " <i>%</i>", "mean IoU of background and foreground");
  out += fact(percent(root.at("boundary_f1").maybe(0, 1)) + " <i>%</i>", "boundary F1, 15 pixels");
  if (const auto lost = root.at("forgetting").maybe(-1, 1))
    out += fact(percent(lost) + " <i>points</i>", "forgotten on earlier data");
  out += fact(grouped(chunks.back().held_out), "photographs held out");
  out += fact(grouped(root.at("memory_samples").maybe(0, kHuge)) + " <i>photographs, " +
                  bytes_text(root.at("memory_bytes").maybe(0, kHuge)) + "</i>",
              "memory");
  out += fact(grouped(root.at("epochs").maybe(0, kHuge)), "epochs");
  out += fact(duration(root.at("wall_seconds").maybe(0, kHuge)), "wall time");
  return out + "</dl>\n</div>\n";
}

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
  if (chunks.size() < 2) return "";
  Heatmap map;
  map.label = "Foreground IoU on each chunk of data after each";
  map.row_title = "after";
  map.column_title = "on the held-out part of";
  std::string rows;
  for (size_t c = 0; c < chunks.size(); ++c) {
    std::vector<double> row = chunks[c].after;
    row.resize(chunks.size(), kUnknown);
    map.values.push_back(row);
    map.row_names.push_back(name_of(c));
    map.column_names.push_back(name_of(c));
    rows += fmt::format(
        "<tr><td>{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        name_of(c), escape_html(chunks[c].data), grouped(chunks[c].images), grouped(chunks[c].held_out),
        percent(chunks[c].before, 2), duration(chunks[c].seconds));
  }
  return html_section(
      "Chunk after chunk",
      "<p>A row is the model after a chunk of data, a column the photographs held out of one. Down a column "
      "a falling figure is forgetting.</p>",
      draw(map) +
          "<div class=\"scroll\"><table><thead><tr><th>chunk</th><th class=\"text\">data</th>"
          "<th>learned from</th><th>held out</th><th>IoU before it, %</th><th>time</th></tr></thead>"
          "<tbody>\n" +
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

std::string config_section(const std::filesystem::path& run) {
  const auto file = run / "config.toml";
  if (!std::filesystem::is_regular_file(file)) return "";
  return html_section("Configuration", "<p>As resolved.</p>",
                      "<pre>" + escape_html(read_file(file, int64_t{1} << 20)) + "</pre>\n");
}

}  // namespace

std::string matte_report_html(const std::filesystem::path& run) {
  const std::filesystem::path file = run / "metrics.json";
  const Json json = read_json(file);
  const Value root(file, &json, "");
  std::vector<Chunk> chunks;
  for (const Value& v : root.at("chunks").items(kMostChunks)) chunks.push_back(read_chunk(v));
  if (chunks.empty()) root.at("chunks").fail("an array of at least 1");
  return html_page(
      "Mattes from " + root.at("data").text(), "",
      head(root) + headline(root, chunks) + curve_section(chunks) + chunks_section(chunks) +
          pictures_section(run, root.at("sheet")) + config_section(run) +
          "<footer>Figures from metrics.json. The held-out photographs chose nothing.</footer>\n");
}

}  // namespace perennial::report
