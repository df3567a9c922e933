#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "perennial/data/dataset.h"
#include "perennial/data/stream_composition.h"
#include "perennial/data/stream_picture.h"

namespace perennial {
namespace {

constexpr int64_t kSlices = 240, kRows = 40;
constexpr double kLeft = 48, kTop = 44, kWidth = 700, kHeight = 320, kLegend = kLeft + kWidth + 20,
                 kLine = 17;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

/// Hues far apart for neighbours; lightness alternates so that bands stay apart without colour vision too.
std::string colour(size_t index, size_t count) {
  const double hue = 360.0 * static_cast<double>(index) / static_cast<double>(std::max<size_t>(1, count));
  const double lightness = std::array{0.42, 0.62, 0.76}[index % 3],
               chroma = 0.6 * std::min(lightness, 1 - lightness);
  const auto channel = [&](double n) {
    const double k = std::fmod(n + hue / 30, 12);
    return static_cast<int>(255 * (lightness - chroma * std::max(-1.0, std::min({k - 3, 9 - k, 1.0}))));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(0), channel(8), channel(4));
}

/// The lower edge of each band in each slice, as shares; band r lies between edges r and r + 1.
std::vector<std::vector<double>> edges_of(const StreamComposition& picture) {
  std::vector<std::vector<double>> edges(1, std::vector<double>(picture.slices.size(), 0.0));
  for (const auto& row : picture.rows) {
    std::vector<double> edge = edges.back();
    for (size_t s = 0; s < edge.size(); ++s)
      if (picture.slices[s].size > 0)
        edge[s] += static_cast<double>(row.counts[s]) / static_cast<double>(picture.slices[s].size);
    edges.push_back(std::move(edge));
  }
  return edges;
}

double x_of(size_t slice, size_t slices) {
  return kLeft + kWidth * static_cast<double>(slice) / static_cast<double>(slices);
}
double y_of(double share) { return kTop + kHeight * (1 - share); }

std::string band(const std::vector<double>& below, const std::vector<double>& above) {
  std::string path;
  const size_t n = below.size();
  for (size_t s = 0; s < n; ++s)
    path +=
        fmt::format("{}{:.1f} {:.2f}H{:.1f}", s == 0 ? 'M' : 'L', x_of(s, n), y_of(above[s]), x_of(s + 1, n));
  for (size_t s = n; s-- > 0;) path += fmt::format("V{:.2f}H{:.1f}", y_of(below[s]), x_of(s, n));
  return path + "Z";
}

std::string bands(const StreamComposition& picture) {
  const auto edges = edges_of(picture);
  std::string out;
  for (size_t r = 0; r < picture.rows.size(); ++r) {
    const std::string fill = colour(r, picture.rows.size()), name = escaped(picture.rows[r].name);
    out += fmt::format("<path fill=\"{}\" d=\"{}\"><title>{}: {} samples</title></path>\n", fill,
                       band(edges[r], edges[r + 1]), name, picture.rows[r].total);
    const double y = kTop + kLine * static_cast<double>(picture.rows.size() - 1 - r);  // as the bands lie
    out += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/>"
        "<text x=\"{}\" y=\"{}\">{}</text>\n",
        kLegend, y, fill, kLegend + 18, y + 10.5, name);
  }
  return out;
}

std::string axes(const StreamComposition& picture, size_t tasks) {
  std::string out;
  for (const double share : {0.0, 0.5, 1.0})
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0f} %</text>\n", kLeft - 6,
                       y_of(share) + 4, 100 * share);
  const size_t every = (tasks + 19) / 20, n = picture.slices.size();
  for (size_t s = 0; s < n; ++s) {
    const int64_t task = picture.slices[s].task;
    if (s > 0 && picture.slices[s - 1].task == task) continue;
    if (s > 0 && tasks <= 60)
      out += fmt::format("<path d=\"M{:.1f} {}v{}\" stroke=\"#fff\" stroke-width=\"1.5\"/>\n", x_of(s, n),
                         kTop, kHeight);
    if (static_cast<size_t>(task) % every == 0)
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}{}</text>\n", x_of(s, n), kTop + kHeight + 18,
                         tasks <= 10 ? "task " : "", task);
  }
  return out;
}

}  // namespace

std::string stream_svg(const Dataset& dataset, const std::vector<Task>& tasks) {
  const StreamComposition picture = compose(dataset, tasks, kSlices, kRows);
  int64_t wrong = 0;
  for (const int64_t count : picture.wrong) wrong += count;
  const double height =
      std::max(kTop + kHeight + 34, kTop + kLine * static_cast<double>(picture.rows.size()) + 10);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<rect width=\"{0}\" height=\"{1}\" "
      "fill=\"#fff\"/>\n",
      kLegend + 190, height);
  out += fmt::format(
      "<text x=\"{}\" y=\"24\" font-size=\"15\">{}: {} samples in {} task{}{}</text>\n", kLeft,
      escaped(dataset.name), picture.samples, tasks.size(), tasks.size() == 1 ? "" : "s",
      wrong == 0 ? ""
                 : fmt::format(", {:.1f} % with a wrong label",
                               100.0 * static_cast<double>(wrong) / static_cast<double>(picture.samples)));
  return out + bands(picture) + axes(picture, tasks.size()) + "</svg>\n";
}

}  // namespace perennial
