#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(Gdumb, RemembersByItsMemoryAlone) { EXPECT_GT(kept_accuracy("gdumb"), 0.7); }

TEST(Gdumb, TrainsWithCutMixWhereAugmentationIsAutomatic) {
  const auto weights = [](const std::string& augment) {
    LearnerSetup setup = small_setup();
    setup.is_digits = false;
    const auto learner = make_learner({"gdumb", {{"train.augment", augment}, {"epochs", "2"}}}, setup);
    learn_task(*learner, halves(40, {0, 1}, 1));
    return learner->model().tensors.at("head.weight").clone();
  };
  EXPECT_TRUE(at::equal(weights("auto"), weights("crop,flip,cutmix")));
  EXPECT_FALSE(at::equal(weights("auto"), weights("crop,flip")));
}

TEST(Gdumb, StartsFromScratchAtEveryBoundary) {
  // What was learned from the stream before does not matter: only the memory does.
  const auto learner = make_learner({"gdumb", {{"epochs", "0"}}});
  learn_task(*learner, halves(100, {0, 1}, 1));
  const at::Tensor first = learner->model().tensors.at("backbone.fc1.weight").clone();
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_FALSE(at::equal(first, learner->model().tensors.at("backbone.fc1.weight")));
}

TEST(Gdumb, BalancesItsClassesHoweverUnevenTheyArrive) {
  const auto learner = make_learner({"gdumb"});
  learn_task(*learner, concat(halves(180, {0}, 1), halves(20, {1}, 1, 180)));
  const auto labels = learner->memory()->labels();
  EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), 10);
}

TEST(Gdumb, TakesNoStepOnTheStream) {
  LearnerSetup setup = small_setup();
  int64_t steps = 0;
  setup.on_step = [&](const TrainingStep&) { ++steps; };
  const auto learner = make_learner({"gdumb"}, setup);
  observe(*learner, halves(100, {0, 1}, 1));
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(learner->epoch_of(0), 0);
  EXPECT_EQ(learner->epoch_of(learner->pieces() - 1), 5);
}

}  // namespace
}  // namespace perennial
