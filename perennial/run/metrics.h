#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "perennial/tasks/recipe.h"

namespace perennial {

/// What a run has measured so far, whatever it learns. A value: saved with the state, written as metrics.json
/// and metrics.csv. Definitions follow the digest of the field, of the headline score: with a[t][j] that
/// after task t on what task j brought, A_last = after the last task on all that has arrived, A_avg = mean
/// over tasks, F_last = mean_{j<T} (max_{t<T} a[t][j] - a[T][j]), A_AUC = mean of what was measured at fixed
/// intervals, I_last = joint training's - A_last. Always of the model as it stands, never of a best epoch.
class Metrics {
 public:
  explicit Metrics(std::string headline) : headline_(std::move(headline)) {}

  /// After a task, which ended when so many samples of the stream had passed.
  void add_task(const Measurement& measurement, int64_t samples);
  /// At a fixed interval, in a task (from 0), after so many epochs of training in all.
  void add_point(const Measurement& measurement, int64_t samples, int64_t task, int64_t epochs);
  /// After an epoch, for those who ask for the best one.
  void add_epoch(const Measurement& measurement, int64_t task, int64_t epoch, int64_t epochs);
  void add_update(nlohmann::json update) { updates_.push_back(std::move(update)); }

  /// F after the last task so far; nothing before the second.
  std::optional<double> forgetting() const;
  /// Series and summary figures, by the names of metrics.json. `joint` in percent; 0: unknown.
  nlohmann::json to_json(double joint) const;
  /// event,samples,task,HEADLINE; one line a measurement.
  std::string to_csv() const;

  nlohmann::json save() const;
  void load(const nlohmann::json& saved);

  int64_t evaluations = 0;  ///< passes over what is held out

 private:
  std::string headline_;
  std::vector<Score> last_;                  // after the last task
  std::vector<std::vector<double>> matrix_;  // a row has the tasks that were known then; NaN: not measured
  std::vector<double> task_scores_;
  std::vector<int64_t> task_samples_;
  nlohmann::json curve_ = nlohmann::json::array(), best_ = nlohmann::json::array(),
                 updates_ = nlohmann::json::array();
};

}  // namespace perennial
