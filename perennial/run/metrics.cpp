#include "perennial/run/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace perennial {
namespace {

using nlohmann::json;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double mean(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? kUnknown : sum / static_cast<double>(values.size());
}

json number(double v) { return std::isfinite(v) ? json(v) : json(nullptr); }

json numbers(const std::vector<double>& values) {
  json out = json::array();
  for (const double v : values) out.push_back(number(v));
  return out;
}

double known_or_not(const json& v) { return v.is_null() ? kUnknown : v.get<double>(); }

std::vector<double> row_of(const json& values) {
  std::vector<double> row;
  for (const auto& v : values) row.push_back(known_or_not(v));
  return row;
}

// Text for a table: nothing where it is not known.
std::string cell(double v) { return std::isfinite(v) ? fmt::format("{:.6f}", v) : ""; }

double at(const std::vector<double>& row, size_t j) { return j < row.size() ? row[j] : kUnknown; }

// F_last of the digest: the best score a task ever had before the end, less what it has at the end.
double forgotten(const std::vector<std::vector<double>>& matrix) {
  std::vector<double> lost;
  for (size_t j = 0; j + 1 < matrix.size(); ++j) {
    double best = kUnknown;
    for (size_t t = 0; t + 1 < matrix.size(); ++t) best = std::fmax(best, at(matrix[t], j));
    lost.push_back(best - at(matrix.back(), j));
  }
  return mean(lost);
}

json by_name(const std::vector<Score>& scores) {
  json out = json::object();
  for (const Score& score : scores) out[score.name] = number(score.value);
  return out;
}

}  // namespace

std::optional<double> Metrics::forgetting() const {
  const double lost = forgotten(matrix_);
  return std::isfinite(lost) ? std::optional(lost) : std::nullopt;
}

void Metrics::add_task(const Measurement& measurement, int64_t samples) {
  last_ = measurement.scores;
  matrix_.push_back(measurement.per_task);
  task_scores_.push_back(measurement.headline());
  task_samples_.push_back(samples);
}

void Metrics::add_point(const Measurement& measurement, int64_t samples, int64_t task, int64_t epochs) {
  json point{{"samples", samples}, {"task", task}, {"per_task", numbers(measurement.per_task)}};
  if (epochs > 0) point["epoch"] = epochs;
  for (const auto* scores : {&measurement.scores, &measurement.notes}) point.update(by_name(*scores));
  curve_.push_back(std::move(point));
}

void Metrics::add_epoch(const Measurement& measurement, int64_t task, int64_t epoch, int64_t epochs) {
  const json entry{
      {"task", task}, {"epoch", epoch}, {"epochs", epochs}, {headline_, number(measurement.headline())}};
  if (best_.empty() || best_.back()["task"] != task)
    best_.push_back(entry);
  else if (entry[headline_] > best_.back()[headline_])
    best_.back() = entry;
}

json Metrics::to_json(double joint) const {
  json out;
  const double last = task_scores_.empty() ? kUnknown : task_scores_.back();
  std::vector<double> at_intervals;
  for (const auto& point : curve_) at_intervals.push_back(known_or_not(point[headline_]));
  out["headline"] = headline_;
  out["scores"] = by_name(last_);
  out["a_last"] = number(last);
  out["a_avg"] = number(mean(task_scores_));
  out["f_last"] = number(forgotten(matrix_));
  out["i_last"] = joint > 0 ? number(joint / 100 - last) : json(nullptr);
  out["a_auc"] = number(mean(at_intervals));
  size_t tasks = 0;
  for (const auto& row : matrix_) tasks = std::max(tasks, row.size());
  json& matrix = out[headline_ + "_matrix"] = json::array();
  for (std::vector<double> row : matrix_) {
    row.resize(tasks, kUnknown);
    matrix.push_back(numbers(row));
  }
  out["task_" + headline_] = numbers(task_scores_);
  out["task_samples"] = task_samples_;
  out["curve"] = curve_;
  if (!best_.empty()) out["best_epoch"] = best_;
  out["updates"] = updates_;
  out["test_evaluations"] = evaluations;
  return out;
}

std::string Metrics::to_csv() const {
  std::string out = "event,samples,task," + headline_ + "\n";
  for (const auto& p : curve_)
    out += fmt::format("interval,{},{},{}\n", p["samples"].get<int64_t>(), p["task"].get<int64_t>() + 1,
                       cell(known_or_not(p[headline_])));
  for (size_t t = 0; t < task_scores_.size(); ++t)
    out += fmt::format("task,{},{},{}\n", task_samples_[t], t + 1, cell(task_scores_[t]));
  return out;
}

json Metrics::save() const {
  json rows = json::array(), last = json::array();
  for (const auto& row : matrix_) rows.push_back(numbers(row));
  for (const Score& score : last_) last.push_back({score.name, number(score.value)});
  return {{"last", last},
          {"matrix", rows},
          {"task_scores", numbers(task_scores_)},
          {"task_samples", task_samples_},
          {"curve", curve_},
          {"best", best_},
          {"updates", updates_},
          {"evaluations", evaluations}};
}

void Metrics::load(const json& saved) {
  last_.clear();
  for (const auto& score : saved.at("last")) last_.push_back({score.at(0), known_or_not(score.at(1))});
  matrix_.clear();
  for (const auto& row : saved.at("matrix")) matrix_.push_back(row_of(row));
  task_scores_ = row_of(saved.at("task_scores"));
  saved.at("task_samples").get_to(task_samples_);
  curve_ = saved.at("curve");
  best_ = saved.at("best");
  updates_ = saved.at("updates");
  saved.at("evaluations").get_to(evaluations);
}

}  // namespace perennial
