#include "perennial/report/compare_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/text.h"
#include "perennial/report/html.h"

namespace perennial::report {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

using Traits = std::map<std::string, std::string>;

bool tells_runs_apart(const std::string& key) {
  static const std::set<std::string> kNot{"seed", "out", "threads", "quiet", "json", "run"};
  return kNot.count(key.substr(key.find_last_of('.') + 1)) == 0;
}

/// Everything that makes two runs different experiments.
Traits traits_of(const RunMetrics& run) {
  Traits traits;
  for (const auto& [key, value] : run.config_keys)
    if (tells_runs_apart(key)) traits[key] = value;
  traits["learner"] = run.learner;
  traits["data"] = run.data;
  traits["stream"] = run.stream;
  traits["model"] = run.model;
  if (run.memory_capacity && traits.count("memory") == 0) traits["memory"] = grouped(run.memory_capacity);
  return traits;
}

/// In what `mine` differs from the groups of the same learner: "selection random, memory 200".
std::string differences(const Traits& mine, const std::vector<Traits>& all) {
  std::vector<std::string> out;
  for (const auto& [key, value] : mine)
    for (const Traits& other : all) {
      const auto found = other.find(key);
      if (other.at("learner") != mine.at("learner") || (found != other.end() && found->second == value))
        continue;
      // A word such as "random" tells enough; a number needs its name.
      const bool word = value.size() > 1 && value != "true" && value != "false" &&
                        value.find_first_of("0123456789") == std::string::npos;
      out.push_back(word ? value : key.substr(key.find_last_of('.') + 1) + " " + value);
      break;
    }
  return join(out, ", ");
}

void name_groups(std::vector<RunGroup>& groups) {
  std::vector<Traits> traits;
  for (const RunGroup& group : groups) traits.push_back(traits_of(group.first()));
  for (size_t i = 0; i < groups.size(); ++i) {
    const RunMetrics& run = groups[i].first();
    const std::string difference = differences(traits[i], traits);
    const std::string suffix = difference.empty() ? "" : " (" + difference + ")";
    groups[i].name = run.learner + suffix;
    groups[i].title = (run.learner_title.empty() ? run.learner : run.learner_title) + suffix;
  }
}

using Points = std::vector<std::pair<double, double>>;

/// A line's height at x, between its points by proportion. Where it jumps, before or after the jump.
double value_at(const Points& line, double x, bool before_jump) {
  const auto after = before_jump
                         ? std::find_if(line.begin(), line.end(), [&](const auto& p) { return p.first >= x; })
                         : std::find_if(line.begin(), line.end(), [&](const auto& p) { return p.first > x; });
  if (after == line.end()) return line.back().second;
  if (after->first == x || after == line.begin()) return after->second;
  const auto& [x0, y0] = *std::prev(after);
  return x0 == x ? y0 : y0 + (after->second - y0) * (x - x0) / (after->first - x0);
}

/// Every place where one of the lines has a point and all of them are known; true where one jumps. Seeds cut
/// a stream into tasks of different sizes, so lines of one group rarely have their points at the same places.
std::map<double, bool> places(const std::vector<Points>& lines) {
  double from = 0, to = std::numeric_limits<double>::infinity();
  for (const Points& line : lines) {
    from = std::max(from, line.front().first);
    to = std::min(to, line.back().first);
  }
  std::map<double, bool> out;
  for (const Points& line : lines)
    for (size_t i = 0; i < line.size(); ++i)
      if (const double x = line[i].first; x >= from && x <= to) out[x] |= i > 0 && line[i - 1].first == x;
  return out;
}

}  // namespace

Statistic statistic(const std::vector<double>& values) {
  std::vector<double> known;
  std::copy_if(values.begin(), values.end(), std::back_inserter(known),
               [](double v) { return std::isfinite(v); });
  const auto n = static_cast<int64_t>(known.size());
  if (n == 0) return {0, kUnknown, kUnknown};
  double sum = 0, squares = 0;
  for (const double v : known) sum += v;
  const double mean = sum / static_cast<double>(n);
  for (const double v : known) squares += (v - mean) * (v - mean);
  return {n, mean, n > 1 ? std::sqrt(squares / static_cast<double>(n - 1)) : kUnknown};
}

int64_t RunGroup::unfinished() const {
  return std::count_if(runs.begin(), runs.end(), [](const RunMetrics& run) { return !run.finished; });
}

std::vector<const RunMetrics*> RunGroup::counted() const {
  const bool all = unfinished() == static_cast<int64_t>(runs.size());
  std::vector<const RunMetrics*> out;
  for (const RunMetrics& run : runs)
    if (all || run.finished) out.push_back(&run);
  return out;
}

std::string RunGroup::seeds() const {
  const size_t used = counted().size();
  return used == runs.size() ? std::to_string(used) : fmt::format("{} of {}", used, runs.size());
}

std::vector<double> RunGroup::values(std::optional<double> RunMetrics::* field) const {
  std::vector<double> out;
  for (const RunMetrics* run : counted())
    if (run->*field) out.push_back(*(run->*field));
  return out;
}

std::string RunGroup::memory() const {
  const RunMetrics& run = first();
  if (run.memory_capacity.value_or(0) > 0) return grouped(run.memory_capacity) + " samples";
  if (run.memory_capacity_bytes.value_or(0) > 0) return bytes_text(run.memory_capacity_bytes);
  if (run.memory_samples.value_or(0) > 0) return grouped(run.memory_samples) + " samples";
  return run.memory_capacity || run.memory_samples ? "none" : "–";
}

Series RunGroup::curve(std::optional<size_t> task) const {
  std::vector<Points> lines;
  for (const RunMetrics* run : counted())
    if (Points line = run->over_stream(task); !line.empty()) lines.push_back(std::move(line));
  Series series{title, ""};
  const auto add = [&](double x, bool before_jump) {
    std::vector<double> values;
    for (const Points& line : lines) values.push_back(value_at(line, x, before_jump));
    const Statistic s = statistic(values);
    const bool all = s.count == static_cast<int64_t>(lines.size());
    series.points.emplace_back(x, all ? s.mean : kUnknown);
    series.spread.push_back(all ? s.spread : kUnknown);
  };
  for (const auto& [x, jumps] : places(lines)) {
    add(x, true);
    if (jumps) add(x, false);
  }
  return series;
}

Table RunGroup::mean_matrix() const {
  const auto used = counted();
  Table out = used[0]->accuracy_matrix;
  for (size_t t = 0; t < out.size(); ++t)
    for (size_t j = 0; j < out[t].size(); ++j) {
      std::vector<double> values;
      for (const RunMetrics* run : used)
        if (t < run->accuracy_matrix.size() && j < run->accuracy_matrix[t].size())
          values.push_back(run->accuracy_matrix[t][j]);
      out[t][j] = statistic(values).mean;
    }
  return out;
}

std::vector<RunGroup> group_runs(const std::vector<std::filesystem::path>& folders) {
  if (folders.empty()) throw std::invalid_argument("comparing needs at least one run");
  std::vector<RunGroup> groups;
  std::vector<Traits> traits;
  for (const auto& folder : folders) {
    RunMetrics run = read_run_metrics(folder);
    const Traits mine = traits_of(run);
    const auto found = static_cast<size_t>(std::find(traits.begin(), traits.end(), mine) - traits.begin());
    if (found == groups.size()) {
      groups.emplace_back();
      traits.push_back(mine);
    }
    groups[found].runs.push_back(std::move(run));
  }
  name_groups(groups);
  return groups;
}

}  // namespace perennial::report
