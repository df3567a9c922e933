#include "perennial/run/report/compare_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/text.h"
#include "perennial/run/report/html.h"

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
  const auto quoted = [](const std::string& text) { return "\"" + text + "\""; };
  traits["learner"] = quoted(run.learner);
  traits["data"] = quoted(run.data);
  traits["stream"] = quoted(run.stream);
  traits["model"] = quoted(run.model);
  if (run.memory_capacity && traits.count("memory") == 0) traits["memory"] = grouped(run.memory_capacity);
  return traits;
}

std::string unquoted(const std::string& value) {
  return value.size() > 1 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2)
                                                                         : value;
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
      const bool word =
          value != unquoted(value) && unquoted(value).find_first_of("0123456789") == std::string::npos;
      out.push_back(word ? unquoted(value) : key.substr(key.find_last_of('.') + 1) + " " + unquoted(value));
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
  if (run.memory_capacity == 0.0 && !run.memory_capacity_bytes.value_or(0)) return "none";
  if (run.memory_capacity) return grouped(run.memory_capacity) + " samples";
  if (run.memory_capacity_bytes) return bytes_text(run.memory_capacity_bytes);
  return run.memory_samples ? grouped(run.memory_samples) + " samples" : "–";
}

Series RunGroup::curve(std::optional<size_t> task) const {
  // A place can have two points: before and after the training at a task's end.
  std::map<std::pair<double, int>, std::vector<double>> gathered;
  const auto used = counted();
  for (const RunMetrics* run : used) {
    double place = -1;
    int again = 0;
    for (const auto& [x, y] : run->over_stream(task)) {
      again = x == place ? again + 1 : 0;
      place = x;
      gathered[{x, again}].push_back(y);
    }
  }
  Series series{title, ""};
  for (const auto& [place, values] : gathered) {
    if (values.size() < used.size()) continue;
    const Statistic s = statistic(values);
    series.points.emplace_back(place.first, s.mean);
    series.spread.push_back(s.spread);
  }
  if (series.points.empty()) series.points = used[0]->over_stream(task), series.spread.clear();
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
