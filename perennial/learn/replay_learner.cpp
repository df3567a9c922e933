#include "perennial/learn/replay_learner.h"

#include <stdexcept>

#include <ATen/TensorOperators.h>

namespace perennial {
namespace {

std::unique_ptr<Policy> policy_of(ReplayParts& parts, uint64_t seed) {
  std::vector<Fact> known = kPlainFacts;
  if (parts.views) known.push_back(Fact::kViews);
  require_facts(find_policy(parts.policy.name), known);
  return parts.own_policy ? std::move(parts.own_policy) : make_policy(parts.policy, seed);
}

void require_able(const Routine& routine, const TrainOptions& train) {
  const Routine::Choices can = routine.choices();
  if (train.online() && !can.online)
    throw std::invalid_argument(
        "train.protocol: this method revisits data or trains at boundaries, and has no online form so");
  if (train.passes > 1 && !can.passes)
    throw std::invalid_argument("train.passes: this method does not go over a task's data again with replay");
  if (train.robust.name != "none" && (!can.robust || train.online()))
    throw std::invalid_argument("robust: there are no epochs over a memory here that could be trained so");
}

std::unique_ptr<RobustTraining> robust_of(const LearnerSetup& setup, const ReplayParts& parts) {
  require_able(*parts.routine, setup.train);
  return make_robust(setup, parts.trainer);
}

/// The mean of two.
class PredictorPair : public Predictor {
 public:
  PredictorPair(std::shared_ptr<const Predictor> one, std::shared_ptr<const Predictor> other)
      : one_(std::move(one)), other_(std::move(other)) {}
  at::Tensor predict(const Samples& samples) const override {
    return (one_->predict(samples) + other_->predict(samples)) / 2;
  }

 private:
  std::shared_ptr<const Predictor> one_, other_;
};

}  // namespace

ReplayLearner::ReplayLearner(const LearnerSetup& setup, ReplayParts parts)
    : ReplayLearner(setup, robust_of(setup, parts), parts) {}

ReplayLearner::ReplayLearner(const LearnerSetup& setup, std::unique_ptr<RobustTraining> robust,
                             ReplayParts& parts)
    : routine_(std::move(parts.routine)),
      end_task_(std::move(parts.end_task)),
      has_memory_(parts.has_memory),
      kit_{.trainer = Trainer(setup, parts.trainer),
           .rehearsal =
               Rehearsal(has_memory_ ? setup.memory : MemoryBudget{0, 0}, policy_of(parts, setup.seed),
                         parts.policy.update == "after_pass", setup.seed),
           .views = parts.views,
           .robust = std::move(robust),
           .replays_in_first_task = parts.replays_in_first_task} {
  kit_.trainer.show(memory());
  if (parts.keep_task) kit_.rehearsal.keep_task(*parts.keep_task);
  if (setup.train.passes > 1) kit_.rehearsal.keep_task(true);
}

at::Tensor ReplayLearner::predict(const Samples& samples) const {
  const at::Tensor own = kit_.trainer.predict(samples);
  return partner() != nullptr ? (own + partner()->predict(samples)) / 2 : own;
}

std::shared_ptr<const Predictor> ReplayLearner::snapshot() const {
  if (partner() == nullptr) return kit_.trainer.snapshot();
  return std::make_shared<PredictorPair>(kit_.trainer.snapshot(), partner()->snapshot());
}

int64_t ReplayLearner::wanted() const { return routine_->wanted(kit_); }

void ReplayLearner::observe(const Samples& batch) {
  if (!in_task_) {
    in_task_ = true;
    kit_.trainer.begin_task(kit_.task);
    if (kit_.robust) kit_.robust->begin_task(kit_);
  }
  kit_.trainer.meet(batch.labels());
  if (kit_.robust) kit_.robust->meet(batch.labels());
  routine_->observe(kit_, batch);
}

bool ReplayLearner::consolidate(Progress& progress) {
  const int64_t all = pieces();
  if (piece_ < all) routine_->run(kit_, piece_, progress);
  if (++piece_ < all) return true;
  piece_ = 0;
  in_task_ = false;
  if (end_task_) end_task_(kit_);
  ++kit_.task;
  return false;
}

void ReplayLearner::save(State& state, const std::string& prefix) const {
  kit_.trainer.save(state, prefix);
  kit_.rehearsal.save(state, prefix);
  routine_->save(state, prefix + "routine.");
  if (kit_.robust) kit_.robust->save(state, prefix + "robust.");
  state.put(prefix + "task", kit_.task);
  state.put(prefix + "piece", piece_);
  state.put(prefix + "in_task", in_task_);
  state.put(prefix + "seconds", kit_.clock.seconds());
}

void ReplayLearner::load(const State& state, const std::string& prefix) {
  kit_.trainer.load(state, prefix);
  kit_.rehearsal.load(state, prefix, kit_.trainer.labels());
  routine_->load(state, prefix + "routine.", kit_);
  if (kit_.robust) kit_.robust->load(state, prefix + "robust.");
  kit_.task = state.value<int64_t>(prefix + "task");
  piece_ = state.value<int64_t>(prefix + "piece");
  in_task_ = state.value<bool>(prefix + "in_task");
  kit_.clock.restore(state.value<std::map<std::string, double>>(prefix + "seconds"));
}

}  // namespace perennial
