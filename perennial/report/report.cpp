#include "perennial/report/report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "perennial/report/html.h"
#include "perennial/report/metrics.h"
#include "perennial/report/sections.h"

namespace perennial {
namespace report {
namespace {

std::string title_of(const RunMetrics& run) {
  return run.learner_title.empty() ? run.learner : run.learner_title;
}

std::string memory_text(const RunMetrics& run) {
  if (!run.memory_samples && !run.memory_bytes) return "–";
  std::string out = grouped(run.memory_samples);
  if (run.memory_bytes) out += " <i>samples, " + bytes_text(run.memory_bytes) + "</i>";
  return out;
}

std::string memory_limit(const RunMetrics& run) {
  if (run.memory_capacity_bytes) return "memory, of " + bytes_text(run.memory_capacity_bytes);
  if (run.memory_capacity) return "memory, of " + grouped(run.memory_capacity) + " samples";
  return "memory";
}

std::string with_unit(const std::optional<double>& fraction, const std::string& unit) {
  return percent(fraction) + (fraction ? " <i>" + unit + "</i>" : "");
}

std::string about(const RunMetrics& run) {
  const auto part = [](const std::string& name, const std::string& value) {
    return value.empty() ? "" : name + " <b>" + escape_html(value) + "</b> · ";
  };
  std::string out = part("data", run.data) + part("stream", run.stream) + part("model", run.model);
  return out + "seed <b>" + std::to_string(run.seed) + "</b>";
}

std::string head(const RunMetrics& run) {
  std::string out = "<header>\n<div class=\"kicker\">Perennial run report";
  if (!run.version.empty()) out += " · version " + escape_html(run.version);
  out += fmt::format("</div>\n<h1>{} on {}</h1>\n", escape_html(title_of(run)), escape_html(run.data));
  if (!run.paper.empty()) out += "<p class=\"about\">" + escape_html(run.paper) + "</p>\n";
  out += "<p class=\"about\">" + about(run) + "</p>\n";
  if (!run.finished)
    out += fmt::format(
        "<p class=\"notice\"><strong>Not finished.</strong> {} of {} tasks so far; every figure is of the "
        "model "
        "as it stands.</p>\n",
        run.tasks_done(), run.tasks());
  return out + "</header>\n";
}

/// The run in one or two sentences.
std::string lead(const RunMetrics& run) {
  if (!run.a_last) return "";
  std::string out = fmt::format("After {} {}", run.tasks_done(), run.tasks_done() == 1 ? "task" : "tasks");
  if (run.samples_seen) out += " and " + grouped(run.samples_seen) + " samples";
  out += run.headline == "accuracy"
             ? fmt::format(", the model recognises {} % of the test images.", percent(*run.a_last, 1))
             : fmt::format(", the {} is {} % on what is held out.", escape_html(run.headline_name()),
                           percent(*run.a_last, 1));
  if (run.f_last && run.tasks_done() > 1) {
    const double points = 100 * *run.f_last;
    out +=
        points > 0.05
            ? fmt::format(" On what earlier tasks brought it is {:.1f} points below the best it had reached.",
                          points)
            : " It is as good on what earlier tasks brought as it ever was.";
  }
  return "<p class=\"lead\">" + out + "</p>\n";
}

std::string headline(const RunMetrics& run) {
  std::string out = "<div class=\"headline\">\n<div class=\"big\"><b>" + percent(run.a_last) +
                    (run.a_last ? "<i>%</i>" : "") + "</b><span>A<sub>last</sub> <i>" +
                    escape_html(run.headline_name()) +
                    " of the last model</i></span></div>\n<dl class=\"facts\">\n";
  for (size_t i = 0; i < run.scores.size(); ++i)
    if (run.scores[i].first != run.headline)
      out += fact(with_unit(run.scores[i].second, "%"), escape_html(spaced(run.scores[i].first)));
  out += fact(with_unit(run.a_avg, "%"), "A<sub>avg</sub>, mean after each task");
  out += fact(with_unit(run.f_last, "points"), "F<sub>last</sub>, forgotten");
  out += fact(with_unit(run.i_last, "points"), "I<sub>last</sub>, below joint training");
  out += fact(with_unit(run.a_auc, "%"), "A<sub>AUC</sub>, mean over the stream");
  out += fact(memory_text(run), memory_limit(run));
  if (run.candidate_bytes) out += fact(bytes_text(run.candidate_bytes), "candidates held before selection");
  out += fact(grouped(run.samples_per_second), "samples a second");
  out += fact(bytes_text(run.peak_rss_bytes), "peak resident memory");
  out += fact(duration(run.wall_seconds), "wall time");
  out += fact(grouped(run.test_evaluations), "evaluations of the test set");
  return out + "</dl>\n</div>\n";
}

constexpr std::string_view kFooter =
    "<footer>Figures from metrics.json. The test set chose nothing: headline figures are of the model as it "
    "stood "
    "after its last epoch.</footer>\n";

}  // namespace
}  // namespace report

using namespace report;

std::string run_html(const std::filesystem::path& folder, const std::string& of_task) {
  const RunMetrics run = read_run_metrics(folder);
  const std::string palettes = palette_css("t", std::min<int64_t>(run.tasks(), 1000), Palette::kOrdered) +
                               palette_css("k", std::min<int64_t>(run.classes(), 1000), Palette::kDistinct) +
                               palette_css("p", static_cast<int64_t>(run.phases.size()), Palette::kDistinct);
  std::string body = head(run) + lead(run) + headline(run);
  body += of_task;
  for (const auto section : {accuracy_section, forgetting_section, matrix_section, classes_section,
                             confusion_section, stream_section, memory_section, kept_section, cost_section,
                             updates_section, peeking_section, config_section})
    body += section(run);
  return html_page(title_of(run) + " on " + run.data, palettes, body + std::string(kFooter));
}

}  // namespace perennial
