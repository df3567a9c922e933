#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Method& m : methods()) names.push_back(m.name);
  return names;
}

class EveryLearner : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Methods, EveryLearner, testing::ValuesIn(all_names()), [](const auto& param_info) {
  std::string name = param_info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(EveryLearner, LearnsATaskAndKnowsOnlyLabelsItHasSeen) {
  LearnerSetup setup = small_setup();
  setup.train.epochs = 20;
  const auto learner = make_learner(GetParam(), setup);
  learn_task(*learner, halves(200, {0, 2}, 1));
  EXPECT_GT(accuracy(*learner, halves(100, {0, 2}, 2, 1000)), 0.9);
  const at::Tensor p = learner->predict(halves(10, {0, 2}, 3).inputs);
  EXPECT_EQ(p.size(1), 4);
  EXPECT_EQ(p.select(1, 1).max().item<float>(), 0.0F);
  EXPECT_NEAR(p.sum().item<double>(), 10, 1e-4);
}

TEST_P(EveryLearner, StaysInsideItsMemory) {
  const auto learner = make_learner(GetParam());
  for (int64_t task = 0; task < 3; ++task) {
    learn_task(*learner, halves(100, {0, 1, 2, 3}, 1, 100 * task));
    if (learner->memory() == nullptr) continue;
    EXPECT_EQ(learner->memory()->size(), 20);
    EXPECT_EQ(
        std::set<int64_t>(learner->memory()->samples().ids.begin(), learner->memory()->samples().ids.end())
            .size(),
        20U);
    EXPECT_EQ(learner->candidate_bytes(), 0);
  }
}

// Saved between any two calls and loaded into a fresh one, it ends bit-equal.
TEST_P(EveryLearner, SavedAnywhereGoesOnBitEqual) {
  Progress silent;
  const Samples first = halves(60, {0, 1}, 1), second = halves(60, {2, 3, 0}, 1, 60);
  const auto whole = make_learner(GetParam());
  auto broken = make_learner(GetParam());
  const auto reload = [&] {
    State state;
    broken->save(state, "l.");
    broken = make_learner(GetParam());
    broken->load(decode_state(encode_state(state), "memory"), "l.");
  };
  for (const Samples& task : {first, second}) {
    learn_task(*whole, task);
    for (int64_t at = 0; at < task.size();) {
      const int64_t n = std::min(broken->wanted(), task.size() - at);
      std::vector<int64_t> rows(n);
      for (int64_t i = 0; i < n; ++i) rows[i] = at + i;
      broken->observe(take(task, rows));
      at += n;
      reload();
    }
    while (broken->consolidate(silent)) reload();
    reload();
  }
  const TensorFile a = whole->model(), b = broken->model();
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) EXPECT_TRUE(at::equal(tensor, b.tensors.at(name))) << name;
  if (whole->memory() != nullptr) {
    EXPECT_EQ(whole->memory()->samples().ids, broken->memory()->samples().ids);
  }
}

double kept_accuracy(const std::string& name) {
  LearnerSetup setup = small_setup();
  setup.train.epochs = 10;
  const auto learner = make_learner(name, setup);
  learn_task(*learner, halves(200, {0, 1}, 1));
  learn_task(*learner, halves(200, {2, 3}, 1, 200));
  return accuracy(*learner, halves(100, {0, 1}, 2, 1000));
}

TEST(Forgetting, FineTuningForgetsAndMemoryDoesNot) {
  EXPECT_LT(kept_accuracy("finetune"), 0.3);
  for (const char* name : {"er", "ewc", "gdumb", "joint", "rm", "rm-offline"})
    EXPECT_GT(kept_accuracy(name), 0.7) << name;
}

TEST(RainbowMemory, ScoresItsMemoryByVariationRatio) {
  const auto learner = make_learner("rm", small_setup(), {{"rm.views", "12"}});
  learn_task(*learner, halves(100, {0, 1, 2, 3}, 1));
  const auto& scores = learner->memory()->scores();
  ASSERT_EQ(scores.size(), 20U);
  for (const float u : scores) EXPECT_NEAR(u * 12, std::round(u * 12), 1e-4);  // votes of 12 views
}

TEST(RainbowMemory, FirstTaskRandomIsASwitch) {
  const auto ids = [](const char* first_random) {
    const auto learner = make_learner("rm", small_setup(), {{"rm.first_task_random", first_random}});
    learn_task(*learner, halves(100, {0, 1, 2, 3}, 1));
    return std::pair(learner->memory()->samples().ids, learner->memory()->scores().empty());
  };
  EXPECT_NE(ids("true").first, ids("false").first);
  EXPECT_TRUE(ids("true").second);
  EXPECT_FALSE(ids("false").second);
}

TEST(RainbowMemory, HalfOfEachStreamBatchIsReplayed) {
  const auto learner = make_learner("rm");
  EXPECT_EQ(learner->wanted(), 16);  // nothing to replay yet
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_EQ(learner->wanted(), 8);
}

TEST(Ewc, PenaltyHoldsBackTheWeightsThatMattered) {
  // sum_i F_i (theta_i - theta*_i)^2, the quantity that the penalty weighs.
  const auto weighted_movement = [](const char* lambda) {
    const auto learner = make_learner("ewc", small_setup(), {{"ewc.lambda", lambda}});
    learn_task(*learner, halves(100, {0, 1}, 1));
    State before, after;
    learner->save(before, "");
    for (auto& [name, tensor] : before.tensors) tensor = tensor.clone();
    learn_task(*learner, halves(100, {2, 3}, 1, 100));
    learner->save(after, "");
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
  EXPECT_LT(weighted_movement("100000"), 0.6 * weighted_movement("0.000001"));
}

TEST(Gdumb, StartsFromScratchAtEveryBoundary) {
  // What was learned from the stream before does not matter: only the memory does.
  LearnerSetup setup = small_setup();
  setup.train.epochs = 0;
  const auto learner = make_learner("gdumb", setup);
  learn_task(*learner, halves(100, {0, 1}, 1));
  const at::Tensor first = learner->model().tensors.at("backbone.fc1.weight").clone();
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_FALSE(at::equal(first, learner->model().tensors.at("backbone.fc1.weight")));
}

TEST(Train, ResetHeadIsASwitch) {
  const auto head_change = [](bool reset) {
    LearnerSetup setup = small_setup();
    setup.train.reset_head = reset;
    setup.train.epochs = 0;
    setup.train.stream_lr_factor = 0;
    const auto learner = make_learner("er", setup);
    learn_task(*learner, halves(40, {0, 1}, 1));
    const at::Tensor before = learner->model().tensors.at("head.weight").clone();
    learn_task(*learner, halves(40, {0, 1}, 1));
    return (learner->model().tensors.at("head.weight") - before).norm().item<double>();
  };
  EXPECT_EQ(head_change(false), 0.0);
  EXPECT_GT(head_change(true), 0.1);
}

TEST(Methods, UnknownNameSuggestsTheNearest) {
  try {
    find_method("ewcc");
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("did you mean 'ewc'"));
  }
}

TEST(Methods, ANameIsTakenOnce) { EXPECT_THROW(register_method(find_method("rm")), std::invalid_argument); }

}  // namespace
}  // namespace perennial
