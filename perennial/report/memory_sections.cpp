#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/report/html.h"
#include "perennial/report/sections.h"
#include "perennial/report/svg.h"

namespace perennial::report {
namespace {

constexpr int64_t kSheetLimit = int64_t{1} << 26;
constexpr size_t kMostStacked = 20, kMostMapped = 400, kMostThumbs = 2000;
constexpr double kThumb = 42;  // CSS pixels, as in the style sheet

double sum_of(const std::vector<double>& row) {
  double sum = 0;
  for (const double v : row) sum += std::isfinite(v) ? v : 0;
  return sum;
}

std::string stacked_composition(const RunMetrics& run, const Table& counts, const std::string& label) {
  StackedBars bars;
  bars.label = label;
  bars.high = 0;
  std::vector<std::pair<std::string, std::string>> names;
  for (size_t c = 0; c < counts[0].size(); ++c)
    names.emplace_back(run.class_name(static_cast<int64_t>(c)), fmt::format("var(--k{})", c));
  for (size_t t = 0; t < counts.size(); ++t) {
    StackedBars::Row row{task_name(t), {}, grouped(sum_of(counts[t]))};
    for (size_t c = 0; c < counts[t].size(); ++c)
      row.parts.push_back({counts[t][c], names[c].second,
                           fmt::format("{}, {}: {}", task_name(t), names[c].first, grouped(counts[t][c]))});
    bars.high = std::max(bars.high, sum_of(counts[t]));
    bars.rows.push_back(std::move(row));
  }
  return legend(names) + draw(bars);
}

std::string mapped_composition(const RunMetrics& run, const Table& counts, const std::string& label) {
  Heatmap map;
  map.label = label;
  map.row_title = "task";
  map.column_title = "class";
  map.as_percent = false;
  map.high = 0;
  map.values = counts;
  for (size_t t = 0; t < counts.size(); ++t) map.row_names.push_back(std::to_string(t + 1));
  for (size_t c = 0; c < counts[0].size(); ++c)
    map.column_names.push_back(run.class_name(static_cast<int64_t>(c)));
  for (const auto& row : counts)
    for (const double v : row) map.high = std::isfinite(v) ? std::max(map.high, v) : map.high;
  return draw(map);
}

struct PngSize {
  int64_t width, height;
};

uint32_t big_endian(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

PngSize png_size(const std::string& png, const std::filesystem::path& file) {
  if (png.size() < 33 || png.compare(0, 8, "\x89PNG\r\n\x1a\n") != 0 || png.compare(12, 4, "IHDR") != 0)
    throw Error({"reading the pictures of the memory", file.string(), "a PNG file", "something else"});
  return {big_endian(png, 16), big_endian(png, 20)};
}

/// The style rule that makes every thumbnail a window on the sheet.
std::string sheet_style(const RunMetrics& run) {
  const std::filesystem::path file = run.folder / run.sheet->file;
  const std::string png = read_file(file, kSheetLimit);
  const PngSize size = png_size(png, file);
  const auto count = static_cast<int64_t>(run.entries.size());
  const int64_t columns = std::min(run.sheet->columns, count);
  const int64_t rows = (count + run.sheet->columns - 1) / run.sheet->columns;
  const int64_t tile = run.sheet->tile;
  if (size.width < columns * tile || size.height < rows * tile)
    throw Error({"reading the pictures of the memory", file.string(),
                 fmt::format("at least {} x {} pixels for {} thumbnails", columns * tile, rows * tile, count),
                 fmt::format("{} x {}", size.width, size.height)});
  const double scale = kThumb / static_cast<double>(tile);
  return fmt::format(
      "<style>.thumbs i{{background-image:url(data:image/png;base64,{});background-size:{:.2f}px {:.2f}px;"
      "image-rendering:{}}}</style>\n",
      base64(png), static_cast<double>(size.width) * scale, static_cast<double>(size.height) * scale,
      tile < 40 ? "pixelated" : "auto");
}

bool is_wrong(const MemoryEntry& entry) { return entry.true_label && *entry.true_label != entry.label; }

std::string thumb(const RunMetrics& run, size_t index, double most_uncertain) {
  const MemoryEntry& e = run.entries[index];
  const auto place = std::div(static_cast<int64_t>(index), run.sheet->columns);
  const auto column = static_cast<double>(place.rem), row = static_cast<double>(place.quot);
  const std::string truth = is_wrong(e) ? run.class_name(*e.true_label) : "";
  std::string title = fmt::format("sample {}", e.id), below;
  if (e.uncertainty) {
    title += fmt::format(", uncertainty {:.3f}", *e.uncertainty);
    below = fmt::format("<span class=\"meter\"><b style=\"width:{:.0f}%\"></b></span>{:.2f}",
                        100 * std::clamp(*e.uncertainty / most_uncertain, 0.0, 1.0), *e.uncertainty);
  }
  if (!e.verdict.empty()) title += ", taken for " + e.verdict;
  if (!truth.empty()) title += ", in truth " + truth;
  return fmt::format(
      "<span{} title=\"{}\"><i style=\"background-position:-{:.0f}px -{:.0f}px\"></i>{}{}</span>",
      is_wrong(e) ? " class=\"wrong\"" : "", escape_html(title), column * kThumb, row * kThumb, below,
      truth.empty() ? "" : "<em>" + escape_html(truth) + "</em>");
}

using ByClass = std::map<int64_t, std::vector<size_t>>;

/// Entries of each class from certain to uncertain.
ByClass sorted_by_class(const RunMetrics& run) {
  ByClass out;
  for (size_t i = 0; i < run.entries.size(); ++i) out[run.entries[i].label].push_back(i);
  const auto rank = [&](size_t i) { return std::pair(run.entries[i].uncertainty.value_or(-1), i); };
  for (auto& [label, list] : out)
    std::sort(list.begin(), list.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  return out;
}

/// At most `most` of a list, evenly spaced, both ends kept.
std::vector<size_t> thinned(const std::vector<size_t>& list, size_t most) {
  if (list.size() <= most) return list;
  std::vector<size_t> out;
  for (size_t i = 0; i < most; ++i) out.push_back(list[most < 2 ? 0 : i * (list.size() - 1) / (most - 1)]);
  return out;
}

std::string thumbs_by_class(const RunMetrics& run) {
  double most_uncertain = 1;
  for (const MemoryEntry& e : run.entries)
    most_uncertain = std::max(most_uncertain, e.uncertainty.value_or(0));
  const ByClass classes = sorted_by_class(run);
  const size_t each = std::max<size_t>(1, kMostThumbs / classes.size());
  std::string out = "<div class=\"kept\">\n";
  for (const auto& [label, list] : classes) {
    const std::vector<size_t> shown = thinned(list, each);
    out += fmt::format("<div><h4>{} <small>{}{}</small></h4><div class=\"thumbs\">",
                       escape_html(run.class_name(label)), list.size(),
                       shown.size() < list.size() ? fmt::format(", {} shown", shown.size()) : "");
    for (const size_t i : shown) out += thumb(run, i, most_uncertain);
    out += "</div></div>\n";
  }
  return out + "</div>\n";
}

/// What the training took each label for, and how many of those were wrong.
std::string verdict_table(const RunMetrics& run) {
  std::map<std::string, std::pair<int64_t, int64_t>> counts;  // all, wrong
  bool truth = false;
  for (const MemoryEntry& e : run.entries) {
    if (e.verdict.empty()) continue;
    truth = truth || e.true_label.has_value();
    ++counts[e.verdict].first;
    if (is_wrong(e)) ++counts[e.verdict].second;
  }
  if (counts.empty()) return "";
  std::string out = "<table><tr><th>taken for</th><th>samples</th>";
  out += truth ? "<th>label wrong</th></tr>\n" : "</tr>\n";
  for (const auto& [verdict, count] : counts)
    out += fmt::format("<tr><td>{}</td><td>{}</td>{}</tr>\n", escape_html(verdict), count.first,
                       truth ? fmt::format("<td>{}</td>", count.second) : "");
  return out + "</table>\n";
}

std::string kept_aid(const RunMetrics& run) {
  const auto known = std::count_if(run.entries.begin(), run.entries.end(),
                                   [](const auto& e) { return e.true_label.has_value(); });
  const auto wrong = std::count_if(run.entries.begin(), run.entries.end(), is_wrong);
  const bool uncertain = std::any_of(run.entries.begin(), run.entries.end(),
                                     [](const auto& e) { return e.uncertainty.has_value(); });
  std::string out = "<p>Every sample kept at the end, by the class it was labelled as.";
  if (uncertain)
    out += " From left to right the model is less certain of it; the bar and the number are its uncertainty.";
  out += "</p>";
  if (wrong > 0)
    out += fmt::format("<p>{} of {} labels are wrong ({} %): outlined, with the true class below.</p>", wrong,
                       known, percent(static_cast<double>(wrong) / static_cast<double>(known), 1));
  else if (known > 0)
    out += "<p>All labels are right.</p>";
  return out + verdict_table(run);
}

}  // namespace

std::string composition_chart(const RunMetrics& run, const Table& counts, const std::string& label) {
  if (counts.empty() || counts[0].empty() || counts[0].size() > kMostMapped) return "";
  return counts[0].size() <= kMostStacked ? stacked_composition(run, counts, label)
                                          : mapped_composition(run, counts, label);
}

std::string stream_section(const RunMetrics& run) {
  const std::string chart =
      composition_chart(run, run.task_composition, "Samples of each class in each task");
  if (chart.empty()) return "";
  return html_section(
      "The stream",
      "<p>Samples of each class that arrived in each task. In a blurry stream a task has main classes and a "
      "few samples of all others.</p>",
      chart);
}

std::string memory_section(const RunMetrics& run) {
  const std::string chart =
      composition_chart(run, run.memory_history, "Samples of each class in memory after each task");
  if (chart.empty()) return "";
  return html_section(
      "Memory over time",
      "<p>Samples of each class in the memory after each task. The memory keeps its size, so every new class "
      "takes room from the old ones.</p>",
      chart);
}

std::string kept_section(const RunMetrics& run) {
  if (run.entries.empty() || !run.sheet) return "";
  const bool there = std::filesystem::exists(run.folder / run.sheet->file);
  const std::string content = there ? sheet_style(run) + thumbs_by_class(run)
                                    : "<p class=\"about\">The pictures (" + escape_html(run.sheet->file) +
                                          ") are not in the run directory.</p>";
  return html_section("What is in the memory", kept_aid(run), content);
}

}  // namespace perennial::report
