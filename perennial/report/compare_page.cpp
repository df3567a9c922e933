#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "perennial/base/text.h"
#include "perennial/report/compare_groups.h"
#include "perennial/report/html.h"
#include "perennial/report/report.h"
#include "perennial/report/sections.h"
#include "perennial/report/svg.h"

namespace perennial {
namespace report {
namespace {

using Groups = std::vector<RunGroup>;
using Field = std::optional<double> RunMetrics::*;

constexpr size_t kMostPanels = 12, kMostMatrixTasks = 20;

std::string colour(size_t group) { return fmt::format("var(--r{})", group); }

template <class Of>
std::string listed(const Groups& groups, const Of& of) {
  std::set<std::string> values;
  for (const RunGroup& group : groups)
    for (const RunMetrics& run : group.runs) values.insert(of(run));
  values.erase("");
  return escape_html(join({values.begin(), values.end()}, ", "));
}

std::string head(const Groups& groups) {
  size_t runs = 0;
  std::string unfinished;
  for (const RunGroup& group : groups) {
    runs += group.runs.size();
    for (const RunMetrics& run : group.runs)
      if (!run.finished)
        unfinished += fmt::format(" {}, seed {}: {} of {} tasks so far.", escape_html(group.title), run.seed,
                                  run.tasks_done(), run.tasks());
  }
  std::string out = fmt::format(
      "<header>\n<div class=\"kicker\">Perennial comparison · {} {}</div>\n<h1>{} on {}</h1>\n<p "
      "class=\"about\">stream <b>{}</b>"
      " · model <b>{}</b></p>\n",
      runs, runs == 1 ? "run" : "runs",
      groups.size() == 1 ? escape_html(groups[0].title) : fmt::format("{} methods", groups.size()),
      listed(groups, [](const RunMetrics& r) { return r.data; }),
      listed(groups, [](const RunMetrics& r) { return r.stream; }),
      listed(groups, [](const RunMetrics& r) { return r.model; }));
  if (!unfinished.empty())
    out += "<p class=\"notice\"><strong>Not finished.</strong>" + unfinished + "</p>\n";
  return out + "</header>\n";
}

/// The best mean, and whether another is within one standard deviation of both from it.
bool among_best(const Groups& groups, Field field, bool high_is_good, const Statistic& mine) {
  Statistic best{0, NAN, NAN};
  for (const RunGroup& group : groups) {
    const Statistic s = group.of(field);
    if (s.count > 0 && (best.count == 0 || (high_is_good ? s.mean > best.mean : s.mean < best.mean)))
      best = s;
  }
  const double slack = (mine.spread > 0 ? mine.spread : 0) + (best.spread > 0 ? best.spread : 0);
  return groups.size() > 1 && mine.count > 0 && std::abs(mine.mean - best.mean) <= slack;
}

std::string percent_cell(const Groups& groups, const RunGroup& group, Field field, bool high_is_good) {
  const Statistic s = group.of(field);
  const std::string spread = s.count > 1 ? " <small>± " + percent(s.spread, 2) + "</small>" : "";
  return fmt::format("<td{}>{}{}</td>", among_best(groups, field, high_is_good, s) ? " class=\"best\"" : "",
                     percent(s.mean, 2), spread);
}

std::string table_row(const Groups& groups, size_t i) {
  const RunGroup& group = groups[i];
  const Statistic speed = group.of(&RunMetrics::samples_per_second),
                  time = group.of(&RunMetrics::wall_seconds);
  std::string out =
      fmt::format("<tr><td><i class=\"key\" style=\"background:{}\"></i>{}{}</td><td>{}</td>", colour(i),
                  escape_html(group.title), group.unfinished() > 0 ? " <small>(not finished)</small>" : "",
                  group.seeds());
  out += percent_cell(groups, group, &RunMetrics::a_last, true) +
         percent_cell(groups, group, &RunMetrics::a_avg, true) +
         percent_cell(groups, group, &RunMetrics::f_last, false) +
         percent_cell(groups, group, &RunMetrics::i_last, false) +
         percent_cell(groups, group, &RunMetrics::a_auc, true);
  return out + fmt::format("<td>{}</td><td>{}</td><td>{}</td></tr>\n", escape_html(group.memory()),
                           grouped(speed.mean), time.count > 0 ? duration(time.mean) : "–");
}

std::string table_section(const Groups& groups) {
  std::string rows;
  for (size_t i = 0; i < groups.size(); ++i) rows += table_row(groups, i);
  return "<section style=\"display:block;border-top:1px solid "
         "var(--ink);margin-top:30px;padding-top:14px\">\n"
         "<div class=\"scroll\"><table><thead><tr><th>learner</th><th>seeds</th><th>A<sub>last</sub>, %</th>"
         "<th>A<sub>avg</sub>, %</th><th>F<sub>last</sub></th><th>I<sub>last</sub></th><th>A<sub>AUC</sub>, "
         "%</th><th>memory</th>"
         "<th>samples/s</th><th>time</th></tr></thead><tbody>\n" +
         rows +
         "</tbody></table></div>\n<p class=\"about\" style=\"margin:12px 0 "
         "0;font-size:13px;max-width:none\">Mean ± standard "
         "deviation over seeds. Bold: the best, and what is within one standard deviation of it. "
         "A<sub>last</sub>: " +
         escape_html(groups[0].first().headline_name()) +
         " of the last model. F<sub>last</sub>: points forgotten. I<sub>last</sub>: points below joint "
         "training.</p>\n</section>\n";
}

std::vector<std::pair<std::string, std::string>> names_and_colours(const Groups& groups) {
  std::vector<std::pair<std::string, std::string>> out;
  for (size_t i = 0; i < groups.size(); ++i) out.emplace_back(groups[i].title, colour(i));
  return out;
}

/// Where tasks end, mean over all runs of as many tasks as the first.
std::vector<double> mean_ends(const Groups& groups) {
  std::vector<double> ends = groups[0].first().task_ends();
  std::vector<std::vector<double>> all(ends.size());
  for (const RunGroup& group : groups)
    for (const RunMetrics& run : group.runs)
      if (const std::vector<double> mine = run.task_ends(); mine.size() == ends.size())
        for (size_t t = 0; t < ends.size(); ++t) all[t].push_back(mine[t]);
  for (size_t t = 0; t < ends.size(); ++t) ends[t] = statistic(all[t]).mean;
  return ends;
}

/// Of all runs, or of the first where they differ.
std::string headline_of(const Groups& groups) { return groups[0].first().headline_name(); }

LineChart stream_chart(const Groups& groups, std::optional<size_t> task) {
  LineChart chart;
  for (size_t i = 0; i < groups.size(); ++i) {
    Series series = groups[i].curve(task);
    series.colour = colour(i);
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  chart.bounds = mean_ends(groups);
  return chart;
}

std::string curves_section(const Groups& groups) {
  LineChart chart = stream_chart(groups, std::nullopt);
  if (chart.series.empty()) return "";
  chart.label = headline_of(groups) + " of all learners over the stream";
  chart.x_title = "samples of the stream";
  chart.y_title = headline_of(groups) + ", %";
  chart.bound_names = task_names(chart.bounds.size());
  chart.end_labels = true;
  chart.height = 360;
  for (Series& s : chart.series) s.width = 2.25;
  return html_section("Over the stream",
                      "<p>" + escape_html(headline_of(groups)) +
                          " on what is held out of all that has arrived so far. Lines are means over seeds, "
                          "bands one standard "
                          "deviation.</p>",
                      draw(chart));
}

ErrorBars bars_of(const Groups& groups, Field field, const std::string& label) {
  ErrorBars bars;
  bars.label = label;
  double high = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    const Statistic s = groups[i].of(field);
    const std::string note = s.count == 0 ? "not known"
                             : s.count == 1
                                 ? percent(s.mean, 1)
                                 : fmt::format("{} ± {}", percent(s.mean, 1), percent(s.spread, 1));
    bars.rows.push_back({groups[i].title, colour(i), s.mean, s.spread, groups[i].values(field), note});
    if (s.count > 0) high = std::max(high, s.mean + (s.spread > 0 ? s.spread : 0));
  }
  bars.high = std::clamp(std::ceil(high * 10) / 10, 0.1, 1.0);
  return bars;
}

std::string bars_section(const Groups& groups) {
  return html_section("Kept and forgotten",
                      "<p>Whiskers are one standard deviation over seeds, dots the single runs. A method "
                      "that only forgets little "
                      "may also have learned little: read both.</p>",
                      "<h3>A<sub>last</sub>, " + escape_html(headline_of(groups)) +
                          " of the last model, % (more is better)</h3>\n" +
                          draw(bars_of(groups, &RunMetrics::a_last, "A_last of each learner")) +
                          "<h3>F<sub>last</sub>, points forgotten (less is better)</h3>\n" +
                          draw(bars_of(groups, &RunMetrics::f_last, "F_last of each learner")));
}

size_t most_tasks(const Groups& groups) {
  int64_t most = 0;
  for (const RunGroup& group : groups) most = std::max(most, group.first().tasks());
  return static_cast<size_t>(most);
}

/// The classes of a task, when all runs agree on them.
std::string shared_classes(const Groups& groups, size_t task) {
  const auto of = [&](const RunMetrics& run) {
    return task < run.task_classes.size() ? join(run.task_classes[task], ", ") : "";
  };
  const std::string names = of(groups[0].first());
  for (const RunGroup& group : groups)
    for (const RunMetrics& run : group.runs)
      if (of(run) != names) return "";
  return names;
}

std::string task_panels_section(const Groups& groups) {
  const size_t tasks = most_tasks(groups), shown = std::min(tasks, kMostPanels);
  std::string panels;
  for (size_t k = 0; k < shown; ++k) {
    const size_t task = shown < 2 ? 0 : k * (tasks - 1) / (shown - 1);
    LineChart chart = stream_chart(groups, task);
    chart.label = headline_of(groups) + " on what was brought by " + task_name(task);
    chart.width = 250;
    chart.height = 150;
    chart.markers = false;
    const std::string names = shorten(shared_classes(groups, task), 40);
    panels += fmt::format("<div><h4>{} <small>{}</small></h4>{}</div>\n", task_name(task), escape_html(names),
                          draw(chart));
  }
  if (panels.empty()) return "";
  const std::string few = shown < tasks ? fmt::format("<p>{} of {} tasks.</p>", shown, tasks) : "";
  return html_section("What becomes of each task",
                      "<p>One panel for each task: " + escape_html(headline_of(groups)) +
                          ", %, on what it brought, over the whole stream. A line "
                          "that falls after the "
                          "task is over is forgetting; a method with a working memory stays up.</p>" +
                          few,
                      legend(names_and_colours(groups)) + "<div class=\"panels\">" + panels + "</div>\n");
}

std::string matrices_section(const Groups& groups) {
  std::string panels;
  for (size_t i = 0; i < groups.size(); ++i) {
    Heatmap map;
    map.values = groups[i].mean_matrix();
    if (map.values.empty() || map.values[0].size() > kMostMatrixTasks) continue;
    map.label = "Matrix of " + groups[i].title;
    map.row_title = "after";
    map.column_title = "on task";
    map.width = 330;
    map.largest_cell = 50;
    for (size_t t = 0; t < map.values[0].size(); ++t) map.column_names.push_back(std::to_string(t + 1));
    for (size_t t = 0; t < map.values.size(); ++t) map.row_names.push_back(std::to_string(t + 1));
    panels += fmt::format("<div><h4>{}</h4>{}</div>\n", escape_html(groups[i].title), draw(map));
  }
  if (panels.empty()) return "";
  return html_section(
      "Matrices",
      "<p>Row: after which task. Column: on what which task brought, mean over seeds. A column that fades "
      "downwards is "
      "a task "
      "being forgotten.</p>",
      "<div class=\"panels\" style=\"grid-template-columns:repeat(auto-fill,minmax(310px,1fr))\">" + panels +
          "</div>\n");
}

std::string runs_section(const Groups& groups) {
  std::string rows;
  for (size_t i = 0; i < groups.size(); ++i)
    for (const RunMetrics& run : groups[i].runs)
      rows += fmt::format(
          "<tr><td><i class=\"key\" style=\"background:{}\"></i>{}</td><td "
          "class=\"text\">{}</td><td>{}</td><td>{}</td>"
          "<td>{}</td></tr>\n",
          colour(i), escape_html(groups[i].title), escape_html(run.folder.string()), run.seed,
          percent(run.a_last),
          run.finished ? "finished" : fmt::format("{} of {} tasks", run.tasks_done(), run.tasks()));
  return html_section(
      "Runs", "<p>The run directories that this page was made from.</p>",
      "<div class=\"scroll\"><table><thead><tr><th>learner</th><th class=\"text\">run</th><th>seed</th>"
      "<th>A<sub>last</sub>, %</th><th>state</th></tr></thead><tbody>\n" +
          rows + "</tbody></table></div>\n");
}

}  // namespace
}  // namespace report

using namespace report;

std::string compare_html(const std::vector<std::filesystem::path>& folders) {
  const Groups groups = group_runs(folders);
  std::string body = head(groups);
  for (const auto section :
       {table_section, curves_section, bars_section, task_panels_section, matrices_section, runs_section})
    body += section(groups);
  return html_page("Comparison of " + std::to_string(groups.size()) + " methods",
                   palette_css("r", static_cast<int64_t>(groups.size()), Palette::kDistinct), body);
}

}  // namespace perennial
