#include <algorithm>

#include <fmt/format.h>

#include "perennial/base/text.h"
#include "perennial/report/compare_groups.h"
#include "perennial/report/html.h"
#include "perennial/report/report.h"
#include "perennial/report/text_table.h"

namespace perennial {
namespace report {
namespace {

std::string with_spread(const Statistic& s) {
  if (s.count == 0) return "-";
  return s.count < 2 ? percent(s.mean, 2) : fmt::format("{} ± {}", percent(s.mean, 2), percent(s.spread, 2));
}

std::vector<std::string> table_row(const RunGroup& group) {
  const RunMetrics& run = group.first();
  const auto mean = [&](std::optional<double> RunMetrics::* field, int digits) {
    const Statistic s = group.of(field);
    return s.count == 0 ? std::string("-") : fmt::format("{:.{}f}", s.mean, digits);
  };
  std::vector<std::string> row{group.name + (group.unfinished() > 0 ? " *" : ""), run.data, run.stream,
                               group.seeds()};
  for (const auto field : {&RunMetrics::a_last, &RunMetrics::a_avg, &RunMetrics::f_last, &RunMetrics::i_last})
    row.push_back(with_spread(group.of(field)));
  row.push_back(group.memory() == "–" ? "-" : group.memory());
  row.push_back(mean(&RunMetrics::samples_per_second, 0));
  row.push_back(mean(&RunMetrics::wall_seconds, 1));
  for (std::string& cell : row) cell = shorten(clean_text(join(split(cell, '\n'), " ")), 48);
  return row;
}

}  // namespace
}  // namespace report

using namespace report;

std::string compare_table(const std::vector<std::filesystem::path>& folders) {
  const std::vector<RunGroup> groups = group_runs(folders);
  std::vector<std::vector<std::string>> rows{{"learner", "data", "stream", "seeds", "A_last", "A_avg",
                                              "F_last", "I_last", "memory", "samples/s", "seconds"}};
  std::string notes;
  for (const RunGroup& group : groups) {
    rows.push_back(table_row(group));
    for (const RunMetrics& run : group.runs)
      if (!run.finished)
        notes += fmt::format("* {} is not finished: {} of {} tasks so far\n", clean_text(run.folder.string()),
                             run.tasks_done(), run.tasks());
  }
  return laid_out(rows, 3) + notes;
}

}  // namespace perennial
