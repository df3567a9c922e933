#pragma once

#include <functional>
#include <memory>
#include <string>

#include "perennial/learn/routine.h"

namespace perennial {

/// What a replay method is made of, besides what the user says. As it stands: experience replay.
struct ReplayParts {
  TrainerParts trainer = {};
  PolicyOptions policy = {};
  std::unique_ptr<Policy> own_policy = {};  ///< in the place of the one that `policy` names
  std::optional<bool> keep_task = {};       ///< whether a task's samples are kept till its end; else the
                                            ///< policy decides
  std::optional<Views> views = {};          ///< for policies that need perturbed views
  std::unique_ptr<Routine> routine = std::make_unique<StreamThenMemory>();
  bool has_memory = true;  ///< false: a baseline without one, whatever the budget
  bool replays_in_first_task = true;
  std::function<void(ReplayKit&)> end_task = {};  ///< after the last piece of a consolidation
};

/// A classifier with an episodic memory, put together from parts: a trainer with its loss terms and plug-ins,
/// a policy, perturbed views, a routine. Methods differ in their parts.
class ReplayLearner final : public Learner {
 public:
  ReplayLearner(const LearnerSetup& setup, ReplayParts parts);
  ReplayLearner(const ReplayLearner&) = delete;
  ReplayLearner& operator=(const ReplayLearner&) = delete;

  int64_t wanted() const override;
  void observe(const Samples& batch) override;
  bool consolidate(Progress& progress) override;
  int64_t pieces() const override { return routine_->pieces(kit_); }
  std::string piece_name(int64_t i) const override { return routine_->piece(kit_, i).name; }
  int64_t epoch_of(int64_t i) const override { return routine_->piece(kit_, i).epoch; }
  at::Tensor predict(const Samples& samples) const override;
  std::shared_ptr<const Predictor> snapshot() const override;
  std::shared_ptr<Evidence> evidence(const Samples& samples) override { return kit_.ask()(samples); }
  std::map<int64_t, std::string> verdicts() const override {
    return kit_.robust ? kit_.robust->verdicts() : std::map<int64_t, std::string>{};
  }
  const Memory* memory() const override { return has_memory_ ? &kit_.rehearsal.memory() : nullptr; }
  int64_t candidate_bytes() const override { return kit_.rehearsal.task_bytes(); }
  std::map<std::string, double> seconds() const override { return kit_.clock.seconds(); }
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;
  TensorFile model() const override { return kit_.trainer.model(); }

 private:
  ReplayLearner(const LearnerSetup& setup, std::unique_ptr<RobustTraining> robust, ReplayParts& parts);
  const Trainer* partner() const { return kit_.robust ? kit_.robust->partner() : nullptr; }

  std::unique_ptr<Routine> routine_;
  std::function<void(ReplayKit&)> end_task_;
  bool has_memory_;
  ReplayKit kit_;
  int64_t piece_ = 0;     ///< pieces of the current consolidation done
  bool in_task_ = false;  ///< a sample of the current task has arrived
};

/// A method whose learner is put together from the parts that `parts` gives: `ReplayParts(const
/// LearnerSetup&, const Options&)`.
template <class Options>
Method replay_method(std::string name, std::string title, std::string paper, std::string summary,
                     ReplayParts (*parts)(const LearnerSetup&, const Options&)) {
  return {std::move(name),
          std::move(title),
          std::move(paper),
          std::move(summary),
          [] { return std::make_unique<Options>(); },
          [parts](const LearnerSetup& setup, const MethodOptions& options) -> std::unique_ptr<Learner> {
            return std::make_unique<ReplayLearner>(setup,
                                                   parts(setup, dynamic_cast<const Options&>(options)));
          }};
}

}  // namespace perennial
