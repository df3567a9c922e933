// What TensorBoard shows of a run: the training by its steps; what is measured by samples of the stream.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "perennial/base/clock.h"
#include "perennial/memory/memory.h"
#include "perennial/run/run.h"

namespace perennial {

void Run::watch(const TrainingStep& step) {
  constexpr int64_t kStepsBetween = 10;
  ++unseen_steps_;
  if (step.step % kStepsBetween != 0) return;
  const double now = steady_seconds();
  scalar("train/loss", step.step, step.loss);
  scalar("train/lr", step.step, step.lr);
  scalar("train/steps_per_second", step.step,
         static_cast<double>(unseen_steps_) / std::max(1e-6, now - shown_at_));
  unseen_steps_ = 0;
  shown_at_ = now;
}

// The test part of an update is of its data alone: accuracies over all tasks are those of the stream.
void Run::show(const Evaluation& e) {
  const int64_t samples = samples_seen();
  if (chunk_ == 0) {
    scalar("accuracy/all", samples, e.accuracy(seen_));
    const auto tasks = metrics_.task_row(e, seen_);
    for (size_t t = 0; t < tasks.size(); ++t)
      if (std::isfinite(tasks[t])) scalar(fmt::format("accuracy/task_{}", t + 1), samples, tasks[t]);
  }
  const Memory* memory = learner_->memory();
  if (memory == nullptr || memory->size() == 0) return;
  std::vector<int64_t> counts(class_names_.size(), 0);
  for (const int64_t label : memory->labels()) ++counts.at(static_cast<size_t>(label));
  for (size_t c = 0; c < counts.size(); ++c)
    if (seen_[c] != 0) scalar("memory/class/" + class_names_[c], samples, static_cast<double>(counts[c]));
}

void Run::show_results(const nlohmann::json& metrics) {
  constexpr int64_t kMostPictures = 250;
  const int64_t samples = samples_seen();
  scalar("samples_per_second", samples, metrics["samples_per_second"].get<double>());
  if (const auto lost = metrics_.forgetting(); lost && chunk_ == 0) scalar("forgetting", samples, *lost);
  if (!sheet_.empty()) picture("memory", samples, sheet_.picture(kMostPictures));
}

}  // namespace perennial
