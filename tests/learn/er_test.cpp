#include <gtest/gtest.h>

#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(ExperienceReplay, RemembersWhatFineTuningForgets) {
  EXPECT_LT(kept_accuracy("finetune"), 0.3);
  EXPECT_GT(kept_accuracy("er"), 0.7);
}

TEST(ExperienceReplay, HalfOfEachStreamBatchIsReplayed) {
  const auto learner = make_learner({"er"});
  EXPECT_EQ(learner->wanted(), 16);  // nothing to replay yet
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_EQ(learner->wanted(), 8);
}

TEST(ExperienceReplay, AsReleasedTheReservoirIsFilledAfterTheStreamPass) {
  const auto during = make_learner({"er"}), after = make_learner({"er", {{"er.update", "after_pass"}}});
  const Samples task = halves(40, {0, 1}, 1);
  for (const auto& learner : {during.get(), after.get()}) learner->observe(slice(task, 0, 16));
  EXPECT_EQ(during->memory()->size(), 16);
  EXPECT_EQ(after->memory()->size(), 0);
  for (const auto& learner : {during.get(), after.get()}) learn_task(*learner, slice(task, 16, 24));
  EXPECT_EQ(during->memory()->ids(), after->memory()->ids());  // the same reservoir, later
}

}  // namespace
}  // namespace perennial
