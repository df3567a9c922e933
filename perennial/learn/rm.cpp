#include "perennial/learn/rm.h"

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"

namespace perennial {

void RmOptions::bind(OptionTable& table) {
  policy.bind(table, "rm.", true);
  views.bind(table, "rm.");
  table.add("rm.first_task_random", first_task_random, "choose at random after the first task")
      .released("true");
}

namespace {

/// As released: the first task's memory is a random one.
class RandomAtFirst : public Policy {
 public:
  RandomAtFirst(std::unique_ptr<Policy> then, uint64_t seed)
      : first_(make_policy({.name = "random"}, seed)), then_(std::move(then)) {}
  bool online() const override { return then_->online(); }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override {
    then_->offer(memory, batch, ask);
  }
  Choice select(Evidence& candidates, int64_t capacity, uint64_t task) override {
    return (task == 0 ? first_ : then_)->select(candidates, capacity, task);
  }
  void save(State& state, const std::string& prefix) const override { then_->save(state, prefix); }
  void load(const State& state, const std::string& prefix) override { then_->load(state, prefix); }

 private:
  std::unique_ptr<Policy> first_, then_;
};

}  // namespace

ReplayParts rainbow_memory(const LearnerSetup& setup, const RmOptions& options) {
  ReplayParts parts{.trainer = {.augmentation = "cutmix,autoaugment"}, .policy = options.policy};
  parts.views = options.views.make(setup.seed);
  if (options.first_task_random)
    parts.own_policy = std::make_unique<RandomAtFirst>(make_policy(options.policy, setup.seed), setup.seed);
  return parts;
}

Method rm_method() {
  return replay_method("rm", "Rainbow Memory", "Bang et al., CVPR 2021",
                       "keeps samples from the most certain to the most uncertain of each class",
                       rainbow_memory);
}

}  // namespace perennial
