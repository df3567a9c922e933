// What TensorBoard shows of a run.
#include <algorithm>
#include <cmath>

#include "perennial/base/clock.h"
#include "perennial/run/run.h"

namespace perennial {

void Run::scalar(const std::string& tag, double value) {
  if (std::isfinite(value)) folder_.scalar(tag, now(), value);
}

void Run::picture(const std::string& tag, const Image& image) { folder_.picture(tag, now(), image); }

// The training stands over its steps.
void Run::watch(const TrainingStep& step) {
  ++unseen_steps_;
  if (step.step % recipe_->schedule().steps_shown != 0) return;
  const double time = steady_seconds();
  folder_.scalar("train/loss", step.step, step.loss);
  folder_.scalar("train/lr", step.step, step.lr);
  folder_.scalar("train/steps_per_second", step.step,
                 static_cast<double>(unseen_steps_) / std::max(1e-6, time - shown_at_));
  unseen_steps_ = 0;
  shown_at_ = time;
}

void Run::show(const Measurement& m) { recipe_->show(*this, m, *learner_); }

void Run::show_results(const nlohmann::json& metrics) {
  scalar("samples_per_second", metrics.at("samples_per_second").get<double>());
  if (const auto lost = metrics_.forgetting()) scalar("forgetting", *lost);
  recipe_->show_task(*this, *learner_);
}

}  // namespace perennial
