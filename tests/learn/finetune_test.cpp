#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(Finetune, Forgets) { EXPECT_LT(kept_accuracy("finetune"), 0.3); }

TEST(Finetune, HasNoMemoryWhateverTheBudget) {
  const auto learner = make_learner({"finetune"});
  learn_task(*learner, halves(40, {0, 1}, 1));
  EXPECT_EQ(learner->memory(), nullptr);
  EXPECT_EQ(learner->candidate_bytes(), 0);
  EXPECT_EQ(learner->wanted(), 16);
}

TEST(Finetune, ThatRevisitsNothingHasNoPieces) {
  const auto learner = make_learner({"finetune", {{"finetune.revisit", "false"}}});
  EXPECT_EQ(learner->pieces(), 0);
  learner->observe(halves(16, {0, 1}, 1));
  EXPECT_EQ(learner->candidate_bytes(), 0);
}

TEST(Finetune, EveryPieceIsAnEpoch) {
  const auto learner = make_learner({"finetune", {{"epochs", "2"}}});
  EXPECT_EQ(learner->epoch_of(0), 1);
  EXPECT_EQ(learner->epoch_of(learner->pieces() - 1), 2);
}

}  // namespace
}  // namespace perennial
