#include "perennial/run/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace perennial {
namespace {

using nlohmann::json;

constexpr double kUnseen = std::numeric_limits<double>::quiet_NaN();

double mean(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? kUnseen : sum / static_cast<double>(values.size());
}

json number(double v) { return std::isfinite(v) ? json(v) : json(nullptr); }

json numbers(const std::vector<double>& values) {
  json out = json::array();
  for (const double v : values) out.push_back(number(v));
  return out;
}

double known_or_not(const json& v) { return v.is_null() ? kUnseen : v.get<double>(); }

std::vector<double> row_of(const json& values) {
  std::vector<double> row;
  for (const auto& v : values) row.push_back(known_or_not(v));
  return row;
}

// Text for a table: nothing where it is not known.
std::string cell(double v) { return std::isfinite(v) ? fmt::format("{:.6f}", v) : ""; }

// F_last of the digest: the best accuracy a task ever had before the end, less what it has at the end.
double forgotten(const std::vector<std::vector<double>>& matrix) {
  std::vector<double> lost;
  for (size_t j = 0; j + 1 < matrix.size(); ++j) {
    double best = kUnseen;
    for (size_t t = 0; t + 1 < matrix.size(); ++t)
      if (std::isfinite(matrix[t][j]))
        best = std::isfinite(best) ? std::max(best, matrix[t][j]) : matrix[t][j];
    lost.push_back(best - matrix.back()[j]);
  }
  return mean(lost);
}

}  // namespace

Metrics::Metrics(const Dataset& train, const std::vector<Task>& tasks) : class_names_(train.class_names) {
  for (const Task& task : tasks) {
    task_classes_.push_back(task.classes);
    std::vector<int64_t> counts(class_names_.size(), 0);
    for (const int64_t row : task.rows) ++counts[train.labels[row]];
    composition_.push_back(std::move(counts));
  }
}

Metrics::Row Metrics::task_row(const Evaluation& evaluation, const std::vector<char>& seen) const {
  Row row;
  for (const auto& classes : task_classes_) {
    std::vector<char> counted(class_names_.size(), 0);
    bool any = false;
    for (const int64_t c : classes) any |= (counted[c] = seen[c]) != 0;
    row.push_back(any ? evaluation.accuracy(counted) : kUnseen);
  }
  return row;
}

std::optional<double> Metrics::forgetting() const {
  const double lost = forgotten(matrix_);
  return std::isfinite(lost) ? std::optional(lost) : std::nullopt;
}

void Metrics::add_task(const Evaluation& evaluation, int64_t samples, const std::vector<char>& seen,
                       const std::vector<int64_t>& memory_labels) {
  last_ = evaluation;
  matrix_.push_back(task_row(evaluation, seen));
  task_accuracy_.push_back(evaluation.accuracy(seen));
  task_samples_.push_back(samples);
  std::vector<int64_t> counts(class_names_.size(), 0);
  for (const int64_t label : memory_labels)
    if (label >= 0 && label < static_cast<int64_t>(counts.size())) ++counts[label];
  memory_history_.push_back(std::move(counts));
}

void Metrics::add_point(const Evaluation& evaluation, int64_t samples, int64_t task,
                        const std::vector<char>& seen) {
  curve_.push_back({{"samples", samples},
                    {"accuracy", number(evaluation.accuracy(seen))},
                    {"task", task},
                    {"per_task", numbers(task_row(evaluation, seen))}});
}

void Metrics::add_epoch(const Evaluation& evaluation, int64_t task, int64_t epoch, int64_t epochs,
                        const std::vector<char>& seen) {
  const json entry{
      {"task", task}, {"epoch", epoch}, {"epochs", epochs}, {"accuracy", number(evaluation.accuracy(seen))}};
  if (best_.empty() || best_.back()["task"] != task)
    best_.push_back(entry);
  else if (entry["accuracy"] > best_.back()["accuracy"])
    best_.back() = entry;
}

void Metrics::add_update(const Evaluation& evaluation, const std::vector<std::string>& class_names,
                         json update) {
  const size_t classes = class_names.size();
  class_names_ = class_names;
  for (auto* rows : {&composition_, &memory_history_, &last_.confusion})
    for (auto& row : *rows) row.resize(classes, 0);
  last_.total.resize(classes, 0);
  last_.correct.resize(classes, 0);
  last_.confusion.resize(classes, std::vector<int64_t>(classes, 0));
  for (size_t c = 0; c < evaluation.total.size(); ++c) {
    if (evaluation.total[c] == 0) continue;
    last_.total[c] = evaluation.total[c];
    last_.correct[c] = evaluation.correct[c];
    last_.confusion[c] = evaluation.confusion[c];
  }
  updates_.push_back(std::move(update));
}

json Metrics::to_json(double joint_accuracy) const {
  json out;
  const double last = task_accuracy_.empty() ? kUnseen : task_accuracy_.back();
  json at_intervals = json::array();
  for (const auto& point : curve_) at_intervals.push_back(point["accuracy"]);
  out["a_last"] = number(last);
  out["a_avg"] = number(mean(task_accuracy_));
  out["f_last"] = number(forgotten(matrix_));
  out["i_last"] = joint_accuracy > 0 ? number(joint_accuracy / 100 - last) : json(nullptr);
  out["a_auc"] = number(mean(row_of(at_intervals)));
  out["accuracy_matrix"] = json::array();
  for (const Row& row : matrix_) out["accuracy_matrix"].push_back(numbers(row));
  out["task_accuracy"] = numbers(task_accuracy_);
  out["task_samples"] = task_samples_;
  out["class_names"] = class_names_;
  out["task_classes"] = json::array();
  for (const auto& classes : task_classes_) {
    json names = json::array();
    for (const int64_t c : classes) names.push_back(class_names_[c]);
    out["task_classes"].push_back(names);
  }
  out["task_composition"] = composition_;
  out["per_class"] = json::object();
  for (size_t c = 0; c < last_.total.size() && c < class_names_.size(); ++c)
    out["per_class"][class_names_[c]] = number(last_.class_accuracy(static_cast<int64_t>(c)));
  out["confusion"] = last_.confusion;
  out["curve"] = curve_;
  out["memory_history"] = memory_history_;
  if (!best_.empty()) out["best_epoch"] = best_;
  out["updates"] = updates_;
  out["test_evaluations"] = evaluations;
  return out;
}

std::string Metrics::to_csv() const {
  std::string out = "event,samples,task,accuracy\n";
  for (const auto& p : curve_)
    out += fmt::format("interval,{},{},{}\n", p["samples"].get<int64_t>(), p["task"].get<int64_t>() + 1,
                       cell(known_or_not(p["accuracy"])));
  for (size_t t = 0; t < task_accuracy_.size(); ++t)
    out += fmt::format("task,{},{},{}\n", task_samples_[t], t + 1, cell(task_accuracy_[t]));
  return out;
}

json Metrics::save() const {
  json rows = json::array();
  for (const Row& row : matrix_) rows.push_back(numbers(row));
  return {{"class_names", class_names_},
          {"task_classes", task_classes_},
          {"composition", composition_},
          {"memory_history", memory_history_},
          {"matrix", rows},
          {"task_accuracy", numbers(task_accuracy_)},
          {"task_samples", task_samples_},
          {"total", last_.total},
          {"correct", last_.correct},
          {"confusion", last_.confusion},
          {"curve", curve_},
          {"best", best_},
          {"updates", updates_},
          {"evaluations", evaluations}};
}

void Metrics::load(const json& saved) {
  saved.at("class_names").get_to(class_names_);
  saved.at("task_classes").get_to(task_classes_);
  saved.at("composition").get_to(composition_);
  saved.at("memory_history").get_to(memory_history_);
  matrix_.clear();
  for (const auto& row : saved.at("matrix")) matrix_.push_back(row_of(row));
  task_accuracy_ = row_of(saved.at("task_accuracy"));
  saved.at("task_samples").get_to(task_samples_);
  saved.at("total").get_to(last_.total);
  saved.at("correct").get_to(last_.correct);
  saved.at("confusion").get_to(last_.confusion);
  curve_ = saved.at("curve");
  best_ = saved.at("best");
  updates_ = saved.at("updates");
  saved.at("evaluations").get_to(evaluations);
}

}  // namespace perennial
