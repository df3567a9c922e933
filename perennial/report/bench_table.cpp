#include "perennial/report/bench_table.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/report/compare_groups.h"
#include "perennial/report/metrics.h"
#include "perennial/report/text_table.h"

namespace perennial {
namespace {

using namespace report;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

struct Figure {
  const char* name;   ///< in metrics.json
  const char* title;  ///< of its column
  std::optional<double> RunMetrics::* field;
  double factor;  ///< to the unit that it is shown in
  int digits;
  bool always;  ///< shown where no run knows it, too
};
constexpr Figure kFigures[] = {
    {"a_last", "A_last, %", &RunMetrics::a_last, 100, 2, true},
    {"a_avg", "A_avg, %", &RunMetrics::a_avg, 100, 2, true},
    {"a_auc", "A_AUC, %", &RunMetrics::a_auc, 100, 2, false},
    {"f_last", "F_last, %", &RunMetrics::f_last, 100, 1, true},
    {"memory_purity", "purity, %", &RunMetrics::memory_purity, 100, 1, false},
    {"memory_bytes", "memory, bytes", &RunMetrics::memory_bytes, 1, 0, true},
    {"samples_per_second", "samples/s", &RunMetrics::samples_per_second, 1, 0, true},
    {"wall_seconds", "seconds", &RunMetrics::wall_seconds, 1, 1, true}};

std::vector<double> values(const std::vector<RunMetrics>& runs, const Figure& figure) {
  std::vector<double> out;
  for (const RunMetrics& run : runs)
    if (const auto value = run.*figure.field; value && std::isfinite(*value))
      out.push_back(*value * figure.factor);
  return out;
}

std::string cell(const std::vector<RunMetrics>& runs, const Figure& figure) {
  const Statistic s = statistic(values(runs, figure));
  if (s.count == 0) return "-";
  const std::string mean = fmt::format("{:.{}f}", s.mean, figure.digits);
  const bool spread = s.count > 1 && figure.factor > 1;
  return spread ? mean + fmt::format(" ± {:.{}f}", s.spread, figure.digits) : mean;
}

struct Verdict {
  bool passed = true;
  std::string text;
};

Verdict judge(const BenchRow& row, const std::vector<RunMetrics>& runs) {
  Verdict verdict;
  for (const BenchFigure& expected : row.expected) {
    const Figure* figure = nullptr;
    for (const Figure& known : kFigures)
      if (expected.name == known.name) figure = &known;
    if (figure == nullptr)
      throw std::invalid_argument("row " + row.name + ": no figure named " + expected.name);
    const Statistic s = statistic(values(runs, *figure));
    const bool good = s.count > 0 && std::abs(s.mean - expected.value) <= expected.tolerance;
    verdict.passed = verdict.passed && good;
    verdict.text +=
        fmt::format("{}{}: {} {:.{}f}, expected {} ± {}\n", good ? "pass " : "FAIL ", row.name, expected.name,
                    s.count > 0 ? s.mean : NAN, figure->digits, expected.value, expected.tolerance);
  }
  return verdict;
}

json as_json(const BenchRow& row, const std::vector<RunMetrics>& runs, bool passed) {
  json out{{"row", row.name}, {"runs", runs.size()}, {"missing", row.missing}, {"passed", passed}};
  for (const Figure& figure : kFigures) {
    const Statistic s = statistic(values(runs, figure));
    if (s.count == 0) continue;
    out[figure.name] = {
        {"mean", s.mean}, {"std", s.count > 1 ? json(s.spread) : json()}, {"values", values(runs, figure)}};
  }
  return out;
}

}  // namespace

std::vector<std::string> bench_figures() {
  std::vector<std::string> names;
  for (const Figure& figure : kFigures) names.emplace_back(figure.name);
  return names;
}

BenchTable bench_table(const std::string& title, const std::vector<BenchRow>& rows) {
  std::vector<std::vector<RunMetrics>> runs;
  for (const BenchRow& row : rows) {
    auto& own = runs.emplace_back();
    for (const auto& folder : row.runs) own.push_back(read_run_metrics(folder));
  }
  std::vector<Figure> shown;
  for (const Figure& figure : kFigures) {
    bool known = figure.always;
    for (const auto& own : runs) known = known || !values(own, figure).empty();
    if (known) shown.push_back(figure);
  }
  std::vector<std::vector<std::string>> lines{{"row"}};
  for (const Figure& figure : shown) lines.front().emplace_back(figure.title);
  lines.front().emplace_back("seeds");
  lines.front().emplace_back("A_last by seed");
  BenchTable table;
  std::string verdicts;
  json all = json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string>& line = lines.emplace_back();
    line.push_back(rows[i].name);
    for (const Figure& figure : shown) line.push_back(cell(runs[i], figure));
    const auto total = std::ssize(runs[i]) + rows[i].missing;
    line.push_back(rows[i].missing > 0 ? fmt::format("{} of {}", runs[i].size(), total)
                                       : std::to_string(total));
    std::string seeds;
    for (const double v : values(runs[i], kFigures[0]))
      seeds += fmt::format("{}{:.2f}", seeds.empty() ? "" : ", ", v);
    line.push_back(seeds);
    const Verdict verdict = judge(rows[i], runs[i]);
    const bool passed = verdict.passed && rows[i].missing == 0;
    verdicts += verdict.text;
    table.passed = table.passed && passed;
    all.push_back(as_json(rows[i], runs[i], passed));
  }
  table.text =
      (title.empty() ? "" : title + "\n\n") + laid_out(lines, 1) + (verdicts.empty() ? "" : "\n" + verdicts);
  table.json = json{{"title", title}, {"rows", std::move(all)}, {"passed", table.passed}}.dump(
                   1, ' ', false, json::error_handler_t::replace) +
               "\n";
  return table;
}

}  // namespace perennial
