#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "perennial/data/stream.h"
#include "perennial/run/evaluate.h"

namespace perennial {

/// What a run has measured so far. A value: saved with the state, written as metrics.json and metrics.csv.
/// Definitions follow the digest of the field: with a[t][j] the accuracy after task t on the classes of task
/// j, A_last = A_T, A_avg = mean_t A_t, F_last = mean_{j<T} (max_{t<T} a[t][j] - a[T][j]), A_AUC = mean of
/// the accuracies measured at fixed intervals, I_last = joint accuracy - A_last. Always of the model as it
/// stands, never of a best epoch.
class Metrics {
 public:
  Metrics() = default;
  Metrics(const Dataset& train, const std::vector<Task>& tasks);

  /// After a task: its accuracy on the labels seen, a row of the matrix, per-class figures, the confusion.
  void add_task(const Evaluation& evaluation, int64_t samples, const std::vector<char>& seen,
                const std::vector<int64_t>& memory_labels);
  /// At a fixed interval of the stream.
  void add_point(const Evaluation& evaluation, int64_t samples, int64_t task, const std::vector<char>& seen);
  /// After an epoch, for those who ask for the best one.
  void add_epoch(const Evaluation& evaluation, int64_t task, int64_t epoch, int64_t epochs,
                 const std::vector<char>& seen);
  /// After an update: `class_names` are those known now. What `evaluation` counts of a class takes the place
  /// of what was measured of it before; the other classes keep theirs.
  void add_update(const Evaluation& evaluation, const std::vector<std::string>& class_names,
                  nlohmann::json update);

  /// Accuracy on the classes of each task, of those that have arrived; NaN where none has.
  std::vector<double> task_row(const Evaluation& evaluation, const std::vector<char>& seen) const;
  /// F after the last task so far; nothing before the second.
  std::optional<double> forgetting() const;

  /// Series and summary figures, by the names of metrics.json.
  nlohmann::json to_json(double joint_accuracy) const;
  /// event,samples,task,accuracy; one line a measurement.
  std::string to_csv() const;

  nlohmann::json save() const;
  void load(const nlohmann::json& saved);

  int64_t evaluations = 0;  ///< passes over the test set

 private:
  using Row = std::vector<double>;  // NaN where a class has not been seen

  std::vector<std::string> class_names_;
  std::vector<std::vector<int64_t>> task_classes_, composition_, memory_history_;
  std::vector<Row> matrix_;
  Row task_accuracy_;  // NaN where nothing was held out
  std::vector<int64_t> task_samples_;
  Evaluation last_;
  nlohmann::json curve_ = nlohmann::json::array(), best_ = nlohmann::json::array(),
                 updates_ = nlohmann::json::array();
};

}  // namespace perennial
