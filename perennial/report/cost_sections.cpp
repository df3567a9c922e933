#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "perennial/base/text.h"
#include "perennial/report/html.h"
#include "perennial/report/sections.h"
#include "perennial/report/svg.h"

namespace perennial::report {

std::string cost_section(const RunMetrics& run) {
  double sum = 0;
  for (const auto& [name, seconds] : run.phases) sum += std::isfinite(seconds) ? seconds : 0;
  if (run.phases.empty() || sum <= 0) return "";
  StackedBars bar;
  bar.label = "Time by phase";
  bar.high = sum;
  bar.row_height = 36;
  StackedBars::Row row;
  std::string rows;
  for (size_t i = 0; i < run.phases.size(); ++i) {
    const auto& [name, seconds] = run.phases[i];
    if (!std::isfinite(seconds)) continue;
    const std::string colour = fmt::format("var(--p{})", i);
    row.parts.push_back({seconds, colour, fmt::format("{}: {}", name, duration(seconds))});
    rows += fmt::format(
        "<tr><td><i class=\"key\" style=\"background:{}\"></i>{}</td><td>{}</td><td>{} %</td></tr>\n", colour,
        escape_html(name), duration(seconds), percent(seconds / sum, 1));
  }
  bar.rows = {row};
  return html_section(
      "Where the time went", "<p>Wall time by phase of the run.</p>",
      draw(bar) + "<table><thead><tr><th>phase</th><th>time</th><th>share</th></tr></thead><tbody>\n" + rows +
          "</tbody></table>\n");
}

std::string updates_section(const RunMetrics& run) {
  if (run.updates.empty()) return "";
  std::string rows;
  for (size_t i = 0; i < run.updates.size(); ++i) {
    const UpdateRecord& u = run.updates[i];
    rows += fmt::format(
        "<tr><td>{}</td><td class=\"text\">{}</td><td "
        "class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        i + 1, escape_html(u.data), u.classes_added.empty() ? "–" : escape_html(join(u.classes_added, ", ")),
        grouped(u.samples), percent(u.accuracy), duration(u.seconds));
  }
  return html_section("Updates", "<p>Data that the model went on to learn after the first run, in order.</p>",
                      "<div class=\"scroll\"><table><thead><tr><th>update</th><th class=\"text\">data</th>"
                      "<th class=\"text\">new classes</th><th>samples</th><th>" +
                          escape_html(run.headline_name()) + ", %</th><th>time</th></tr></thead><tbody>\n" +
                          rows + "</tbody></table></div>\n");
}

std::string peeking_section(const RunMetrics& run) {
  if (run.best_epoch.empty()) return "";
  std::string rows;
  double sum = 0;
  for (const BestEpoch& b : run.best_epoch) {
    const auto t = static_cast<size_t>(b.task);
    const double honest = t < run.task_accuracy.size() ? run.task_accuracy[t] : NAN;
    sum += b.accuracy;
    rows += fmt::format("<tr><td>{}</td><td>{} of {}</td><td>{}</td><td>{}</td></tr>\n", task_name(t),
                        b.epoch, b.epochs, percent(b.accuracy, 2), percent(honest, 2));
  }
  return html_section(
      "Best epochs",
      "<p>Some papers report these. They cannot be had in use, and no other figure on this page depends on "
      "them.</p>",
      fmt::format("<div class=\"peek\"><p><strong>peeking: the test set chose the epoch</strong></p>\n"
                  "<table><thead><tr><th>after</th><th>best epoch</th><th>its accuracy, %</th><th>last "
                  "epoch, %</th></tr></thead>"
                  "<tbody>\n{}</tbody></table>\n<p style=\"margin:12px 0 0\">Mean of the best epochs: {} "
                  "%</p></div>\n",
                  rows, percent(sum / static_cast<double>(run.best_epoch.size()), 2)));
}

std::string config_section(const RunMetrics& run) {
  if (run.config.empty()) return "";
  return html_section(
      "Configuration",
      "<p>As resolved: every option with the value it had. The same file starts the run again.</p>",
      "<pre>" + escape_html(run.config) + "</pre>\n");
}

}  // namespace perennial::report
