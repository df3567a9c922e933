#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "perennial/report/html.h"
#include "perennial/report/sections.h"
#include "perennial/report/svg.h"

namespace perennial::report {
namespace {

constexpr size_t kMostClassBars = 150, kMostConfusedClasses = 200, kMostPairs = 12;

std::string title_of(const RunMetrics& run) {
  std::string name = run.headline_name();
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

LineChart stream_chart(const RunMetrics& run) {
  LineChart chart;
  chart.x_title = run.knows_samples() ? "samples of the stream" : "tasks";
  chart.y_title = run.headline_name() + ", %";
  chart.bounds = run.task_ends();
  chart.bound_names = task_names(chart.bounds.size());
  return chart;
}

std::vector<Series> task_curves(const RunMetrics& run) {
  std::vector<Series> out;
  for (size_t j = 0; j < static_cast<size_t>(run.tasks()); ++j)
    out.push_back({task_name(j), fmt::format("var(--t{})", j), run.over_stream(j)});
  return out;
}

std::string forgetting_bars(const RunMetrics& run) {
  StackedBars bars;
  bars.label = title_of(run) + " kept and forgotten, for each task";
  const std::vector<double> lost = run.forgetting();
  size_t last = run.accuracy_matrix.size() - 1;
  while (last > 0 && std::none_of(run.accuracy_matrix[last].begin(), run.accuracy_matrix[last].end(),
                                  [](double a) { return std::isfinite(a); }))
    --last;
  for (size_t j = 0; j < lost.size(); ++j) {
    const double now = run.accuracy_matrix[last][j];
    if (!std::isfinite(now)) continue;
    const std::string note = std::isfinite(lost[j])
                                 ? fmt::format("{} % now, {}{:.1f}", percent(now, 1), lost[j] > 0 ? "−" : "+",
                                               100 * std::abs(lost[j]))
                                 : fmt::format("{} % now", percent(now, 1));
    bars.rows.push_back({task_name(j),
                         {{now, "var(--accent)", fmt::format("{}: {} % now", task_name(j), percent(now, 1))},
                          {lost[j], "var(--lost)",
                           fmt::format("{}: {} points forgotten", task_name(j), percent(lost[j], 1)), true}},
                         note});
  }
  return bars.rows.empty() ? "" : draw(bars);
}

std::vector<std::string> class_names(const RunMetrics& run, size_t count) {
  std::vector<std::string> out;
  for (size_t c = 0; c < count; ++c) out.push_back(run.class_name(static_cast<int64_t>(c)));
  return out;
}

std::string class_bars(const std::vector<std::pair<std::string, double>>& classes, size_t begin, size_t end,
                       double width, double height) {
  StackedBars bars;
  bars.label = "Accuracy of each class";
  bars.width = width;
  bars.row_height = height;
  for (size_t i = begin; i < end; ++i)
    bars.rows.push_back({classes[i].first,
                         {{classes[i].second, "var(--accent)",
                           fmt::format("{}: {} %", classes[i].first, percent(classes[i].second, 1))}},
                         percent(classes[i].second, 1)});
  return draw(bars);
}

struct Confused {
  size_t from, to;
  double count, share;
};

std::vector<Confused> most_confused(const Table& confusion) {
  std::vector<Confused> pairs;
  for (size_t i = 0; i < confusion.size(); ++i) {
    double sum = 0;
    for (const double count : confusion[i]) sum += std::isfinite(count) ? count : 0;
    for (size_t j = 0; j < confusion[i].size(); ++j)
      if (i != j && confusion[i][j] > 0) pairs.push_back({i, j, confusion[i][j], confusion[i][j] / sum});
  }
  const auto end = pairs.begin() + static_cast<int64_t>(std::min(pairs.size(), kMostPairs));
  std::partial_sort(pairs.begin(), end, pairs.end(), [](const Confused& a, const Confused& b) {
    return a.count != b.count ? a.count > b.count : std::pair(a.from, a.to) < std::pair(b.from, b.to);
  });
  pairs.erase(end, pairs.end());
  return pairs;
}

std::string confused_table(const RunMetrics& run) {
  std::string rows;
  for (const Confused& pair : most_confused(run.confusion))
    rows += fmt::format("<tr><td>{}</td><td class=\"text\">{}</td><td>{}</td><td>{} %</td></tr>\n",
                        escape_html(run.class_name(static_cast<int64_t>(pair.from))),
                        escape_html(run.class_name(static_cast<int64_t>(pair.to))), grouped(pair.count),
                        percent(pair.share, 1));
  if (rows.empty()) return "";
  return "<h3>Most frequent mistakes</h3>\n<div class=\"scroll short\"><table><thead><tr><th>true class</th>"
         "<th class=\"text\">taken for</th><th>images</th><th>of the class</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

Heatmap confusion_map(const RunMetrics& run) {
  Heatmap map;
  map.label = "Confusion matrix: shares of each true class by predicted class";
  map.row_title = "true";
  map.column_title = "predicted";
  map.values = run.confusion;
  map.row_names = map.column_names = class_names(run, run.confusion.size());
  map.largest_cell = 52;
  for (auto& row : map.values) {
    double sum = 0;
    for (const double count : row) sum += std::isfinite(count) ? count : 0;
    for (double& count : row) count = sum > 0 ? count / sum : std::numeric_limits<double>::quiet_NaN();
  }
  return map;
}

}  // namespace

std::string task_name(size_t task) { return "task " + std::to_string(task + 1); }

std::vector<std::string> task_names(size_t count) {
  std::vector<std::string> out;
  for (size_t t = 0; t < count; ++t) out.push_back(task_name(t));
  return out;
}

std::string accuracy_section(const RunMetrics& run) {
  if (run.over_epochs) return "";
  LineChart chart = stream_chart(run);
  chart.label = title_of(run) + " on what is held out over the stream";
  chart.series = {{"everything so far", "var(--accent)", run.over_stream(), {}, 2.5}};
  if (chart.series[0].points.empty()) return "";
  chart.markers = chart.series[0].points.size() <= 200;
  return html_section(title_of(run) + " over the stream",
                      "<p>Of what is held out of all that has arrived so far. Dotted lines are "
                      "the ends of tasks; a jump there is what training on the memory brought. The model is "
                      "not told the task when it predicts.</p>",
                      draw(chart));
}

std::string forgetting_section(const RunMetrics& run) {
  if (run.tasks() < 2 || run.over_epochs) return "";
  LineChart chart = stream_chart(run);
  chart.label = title_of(run) + " on what each task brought, over the stream";
  chart.series = task_curves(run);
  chart.end_labels = true;
  size_t points = 0;
  for (const Series& s : chart.series) points += s.points.size();
  if (points == 0) return "";
  chart.markers = points <= 600;
  chart.height = 340;
  std::string content = draw(chart);
  const std::string bars = run.accuracy_matrix.empty() ? "" : forgetting_bars(run);
  if (!bars.empty())
    content +=
        "<h3>What is left of each task</h3>\n" +
        legend({{"recognised now", "var(--accent)"},
                {"forgotten: best so far minus now", "color-mix(in srgb,var(--lost) 45%,var(--paper))"}}) +
        bars;
  return html_section(
      "Forgetting",
      "<p>Each line follows what is held out of one task: the images of its main classes. A line that falls "
      "after its task "
      "has ended is forgetting; a flat one is memory at work.</p><p>F<sub>last</sub> is the mean loss "
      "over all tasks but the last.</p>",
      content);
}

std::string matrix_section(const RunMetrics& run) {
  if (run.accuracy_matrix.empty() || run.tasks() < 2 || run.tasks() > 100) return "";
  Heatmap map;
  map.label = title_of(run) + " matrix";
  map.largest_cell = 80;
  map.row_title = "after";
  map.column_title = run.headline == "accuracy" ? "accuracy, %, on the classes of"
                                                : run.headline_name() + ", %, on what was brought by";
  map.values = run.accuracy_matrix;
  map.row_names = task_names(map.values.size());
  map.column_names = task_names(map.values[0].size());
  if (map.values[0].size() > 12)
    for (size_t t = 0; t < map.column_names.size(); ++t) map.column_names[t] = std::to_string(t + 1);
  return html_section(title_of(run) + " matrix",
                      "<p>Row: after which task it was measured. Column: on what which task brought. Read "
                      "down a column to see what "
                      "later tasks did to an earlier one. Empty: not seen yet.</p>",
                      draw(map));
}

std::string classes_section(const RunMetrics& run) {
  if (run.per_class.empty()) return "";
  auto classes = run.per_class;
  const auto rank = [](const std::pair<std::string, double>& c) {
    return std::pair(std::isfinite(c.second) ? -c.second : 1.0, c.first);
  };
  std::sort(classes.begin(), classes.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  std::string note = "<p>Accuracy of the last model, best class first.</p>";
  if (classes.size() > kMostClassBars) {
    note +=
        fmt::format("<p>The best and the worst {} of {} classes.</p>", kMostClassBars / 2, classes.size());
    classes.erase(classes.begin() + kMostClassBars / 2, classes.end() - kMostClassBars / 2);
  }
  const size_t columns = classes.size() > 40 ? 3 : classes.size() > 12 ? 2 : 1;
  const size_t each = (classes.size() + columns - 1) / columns;
  std::string content = "<div class=\"columns\">";
  for (size_t c = 0; c < columns; ++c)
    content +=
        class_bars(classes, std::min(c * each, classes.size()), std::min((c + 1) * each, classes.size()),
                   columns == 1   ? 800
                   : columns == 2 ? 390
                                  : 262,
                   columns == 1 ? 24 : 19);
  return html_section("Classes", note, content + "</div>");
}

std::string confusion_section(const RunMetrics& run) {
  if (run.confusion.empty()) return "";
  const bool drawn = run.confusion.size() <= kMostConfusedClasses;
  const std::string aid =
      drawn ? "<p>Row: the true class. Column: what the model said, as a share of the row. The diagonal "
              "is right.</p>"
            : "<p>Too many classes for a matrix; these are its largest entries.</p>";
  return html_section("Confusion", aid, (drawn ? draw(confusion_map(run)) : "") + confused_table(run));
}

}  // namespace perennial::report
