#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(Joint, KeepsEverySampleAndForgetsNothing) {
  EXPECT_GT(kept_accuracy("joint"), 0.7);
  const auto learner = make_learner({"joint"});
  const Samples task = halves(40, {0, 1}, 1);
  learn_task(*learner, task);
  learn_task(*learner, task);
  EXPECT_EQ(learner->candidate_bytes(), 2 * task.bytes());
  EXPECT_EQ(learner->memory(), nullptr);
}

TEST(Joint, StartsFromScratchAtEveryBoundary) {
  const auto learner = make_learner({"joint", {{"train.lr", "0"}, {"epochs", "1"}}});
  learn_task(*learner, halves(40, {0, 1}, 1));
  const TensorFile first = learner->model();
  learn_task(*learner, halves(40, {0, 1}, 1));
  EXPECT_FALSE(
      first.tensors.at("backbone.fc1.weight").equal(learner->model().tensors.at("backbone.fc1.weight")));
}

TEST(Joint, EveryPieceIsAnEpoch) {
  const auto learner = make_learner({"joint", {{"epochs", "2"}}});
  EXPECT_EQ(learner->epoch_of(0), 1);
  EXPECT_EQ(learner->epoch_of(learner->pieces() - 1), 2);
}

}  // namespace
}  // namespace perennial
