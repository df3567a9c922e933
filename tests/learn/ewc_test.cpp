#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

/// State of a learner after a task of two classes, and after another of two others.
std::pair<State, State> states(std::vector<std::pair<std::string, std::string>> options) {
  options.emplace_back("train.stream_lr_factor", "0.1");  // a large penalty diverges at the full rate
  const auto learner = make_learner({"ewc", options});
  State before, after;
  learn_task(*learner, halves(100, {0, 1}, 1));
  learner->save(before, "");
  for (auto& [name, tensor] : before.tensors) tensor = tensor.clone();
  learn_task(*learner, halves(100, {2, 3}, 1, 100));
  learner->save(after, "");
  return {std::move(before), std::move(after)};
}

TEST(Ewc, PenaltyHoldsBackTheWeightsThatMattered) {
  // sum_i F_i (theta_i - theta*_i)^2, the quantity that the penalty weighs.
  const auto weighted_movement = [](const char* lambda) {
    const auto [before, after] = states({{"ewc.lambda", lambda}});
    double sum = 0;
    for (int i = 0; before.has_tensor("fisher." + std::to_string(i)); ++i) {
      const std::string n = std::to_string(i);
      const at::Tensor moved = after.tensor("anchor." + n) - before.tensor("anchor." + n);
      sum += (before.tensor("fisher." + n) * moved.square()).sum().item<double>();
    }
    return sum;
  };
  // Batch normalisation makes this net insensitive to most of its weights: the information is small, so
  // lambda is large.
  EXPECT_LT(weighted_movement("1000000"), 0.6 * weighted_movement("0.000001"));
}

TEST(Ewc, InformationIsAveragedOverTasksOrReplaced) {
  const auto share_of_first = [](const char* accumulate) {
    const auto [before, after] = states({{"ewc.accumulate", accumulate}, {"ewc.lambda", "0.000001"}});
    const auto [first, second] = std::pair(before.tensor("fisher.0"), after.tensor("fisher.0"));
    return (second >= first * 0.4999).to(at::kDouble).mean().item<double>();
  };
  EXPECT_EQ(share_of_first("true"), 1.0);  // half of it is there still
  EXPECT_LT(share_of_first("false"), 1.0);
}

TEST(Ewc, WithoutWeightIsExperienceReplay) {
  const auto ewc = make_learner({"ewc", {{"ewc.lambda", "0"}}}), er = make_learner({"er"});
  for (const auto& learner : {ewc.get(), er.get()}) {
    learn_task(*learner, halves(60, {0, 1}, 1));
    learn_task(*learner, halves(60, {2, 3}, 1, 60));
  }
  EXPECT_TRUE(differences(*ewc, *er).empty());
}

TEST(Ewc, HoldsTheNeckWhereTheBackboneIsFrozen) {
  LearnerSetup setup = small_setup();
  setup.model.freeze = "features";
  setup.model.neck = 8;
  const auto learned = [&](const char* lambda) {
    auto learner = make_learner({"ewc", {{"ewc.lambda", lambda}}}, setup);
    learn_task(*learner, halves(60, {0, 1}, 1));
    learn_task(*learner, halves(60, {2, 3}, 1, 60));
    return learner;
  };
  const auto with = learned("1000"), without = learned("0");
  EXPECT_FALSE(differences(*with, *without).empty());
  State state;
  with->save(state, "");
  EXPECT_EQ(state.tensor("fisher.0").size(0), 8);  // of the neck's weight
}

TEST(Ewc, RemembersWithItsMemory) { EXPECT_GT(kept_accuracy("ewc"), 0.7); }

}  // namespace
}  // namespace perennial
