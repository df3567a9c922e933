#include "perennial/report/bench_table.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/text.h"
#include "perennial/report/compare_groups.h"
#include "perennial/report/metrics.h"
#include "perennial/report/text_table.h"

namespace perennial {
namespace {

using namespace report;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

using Field = std::function<std::optional<double>(const RunMetrics&)>;

struct Figure {
  std::string name;   ///< in metrics.json
  std::string title;  ///< of its column
  Field field;
  double factor;  ///< to the unit that it is shown in
  int digits;
  bool always;  ///< shown where no run knows it, too
};

Field of(std::optional<double> RunMetrics::* field) {
  return [field](const RunMetrics& run) { return run.*field; };
}

const std::string kScores = "scores.";

Figure figure_of_score(const std::string& score) {
  return {kScores + score,
          spaced(score) + ", %",
          [score](const RunMetrics& run) {
            for (const auto& [name, value] : run.scores)
              if (name == score) return value;
            return std::optional<double>();
          },
          100,
          2,
          false};
}

std::vector<Figure> known_figures() {
  return {{"a_last", "A_last, %", of(&RunMetrics::a_last), 100, 2, true},
          {"a_avg", "A_avg, %", of(&RunMetrics::a_avg), 100, 2, true},
          {"a_auc", "A_AUC, %", of(&RunMetrics::a_auc), 100, 2, false},
          {"f_last", "F_last, %", of(&RunMetrics::f_last), 100, 1, true},
          {"memory_purity", "purity, %", of(&RunMetrics::memory_purity), 100, 1, false},
          {"memory_bytes", "memory, bytes", of(&RunMetrics::memory_bytes), 1, 0, true},
          {"samples_per_second", "samples/s", of(&RunMetrics::samples_per_second), 1, 0, true},
          {"wall_seconds", "seconds", of(&RunMetrics::wall_seconds), 1, 1, true}};
}

/// std::invalid_argument when there is none.
Figure figure_named(const std::string& name) {
  if (name.starts_with(kScores)) return figure_of_score(name.substr(kScores.size()));
  for (Figure& known : known_figures())
    if (known.name == name) return known;
  throw std::invalid_argument("no figure of a bench is named " + name);
}

std::vector<double> values(const std::vector<RunMetrics>& runs, const Figure& figure) {
  std::vector<double> out;
  for (const RunMetrics& run : runs)
    if (const auto value = figure.field(run); value && std::isfinite(*value))
      out.push_back(*value * figure.factor);
  return out;
}

/// Those that are known, and then the scores after the last task that are not the headline.
std::vector<Figure> figures_of(const std::vector<std::vector<RunMetrics>>& runs) {
  std::vector<Figure> figures = known_figures();
  std::set<std::string> had;
  for (const auto& own : runs)
    for (const RunMetrics& run : own)
      for (const auto& [name, value] : run.scores)
        if (name != run.headline && had.insert(name).second) figures.push_back(figure_of_score(name));
  std::erase_if(figures, [&](const Figure& figure) {
    return !figure.always && std::all_of(runs.begin(), runs.end(),
                                         [&](const auto& own) { return values(own, figure).empty(); });
  });
  return figures;
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
    const Statistic s = statistic(values(runs, figure_named(expected.name)));
    const bool good = s.count > 0 && std::abs(s.mean - expected.value) <= expected.tolerance;
    verdict.passed = verdict.passed && good;
    verdict.text +=
        fmt::format("{}{}: {} {:.2f}, expected {} ± {}\n", good ? "pass " : "FAIL ", row.name, expected.name,
                    s.count > 0 ? s.mean : NAN, expected.value, expected.tolerance);
  }
  return verdict;
}

json as_json(const BenchRow& row, const std::vector<RunMetrics>& runs, const std::vector<Figure>& figures,
             bool passed) {
  json out{{"row", row.name}, {"runs", runs.size()}, {"missing", row.missing}, {"passed", passed}};
  for (const Figure& figure : figures) {
    const Statistic s = statistic(values(runs, figure));
    if (s.count == 0) continue;
    out[figure.name] = {
        {"mean", s.mean}, {"std", s.count > 1 ? json(s.spread) : json()}, {"values", values(runs, figure)}};
  }
  return out;
}

}  // namespace

void require_figure(const std::string& where, const std::string& name) {
  if (name.starts_with(kScores)) return;
  std::vector<std::string> names;
  for (const Figure& figure : known_figures()) names.push_back(figure.name);
  require_known(where, name, names);
}

BenchTable bench_table(const std::string& title, const std::vector<BenchRow>& rows) {
  std::vector<std::vector<RunMetrics>> runs;
  for (const BenchRow& row : rows) {
    auto& own = runs.emplace_back();
    for (const auto& folder : row.runs) own.push_back(read_run_metrics(folder));
  }
  const std::vector<Figure> shown = figures_of(runs);
  std::vector<std::vector<std::string>> lines{{"row"}};
  for (const Figure& figure : shown) lines.front().push_back(figure.title);
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
    for (const double v : values(runs[i], shown.front()))
      seeds += fmt::format("{}{:.2f}", seeds.empty() ? "" : ", ", v);
    line.push_back(seeds);
    const Verdict verdict = judge(rows[i], runs[i]);
    const bool passed = verdict.passed && rows[i].missing == 0;
    verdicts += verdict.text;
    table.passed = table.passed && passed;
    all.push_back(as_json(rows[i], runs[i], shown, passed));
  }
  table.text =
      (title.empty() ? "" : title + "\n\n") + laid_out(lines, 1) + (verdicts.empty() ? "" : "\n" + verdicts);
  table.json = json{{"title", title}, {"rows", std::move(all)}, {"passed", table.passed}}.dump(
                   1, ' ', false, json::error_handler_t::replace) +
               "\n";
  return table;
}

}  // namespace perennial
