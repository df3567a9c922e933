#include <gtest/gtest.h>

#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(RainbowMemoryOffline, MergesTheStreamPassIntoItsEpochs) {
  LearnerSetup setup = small_setup();
  int64_t steps = 0;
  setup.on_step = [&](const TrainingStep&) { ++steps; };
  const auto learner = make_learner({"rm-offline", {{"epochs", "2"}}}, setup);
  observe(*learner, halves(48, {0, 1}, 1));
  EXPECT_EQ(steps, 0);
  Progress silent;
  while (learner->consolidate(silent)) {
  }
  EXPECT_EQ(steps, 2 * 3);  // 48 samples, 16 a batch while there is no memory
  learn_task(*learner, halves(48, {2, 3}, 1, 48));
  EXPECT_EQ(steps, 2 * 3 + 2 * 6);  // eight of each batch are memory's
}

TEST(RainbowMemoryOffline, ChoosesLast) {
  const auto learner = make_learner({"rm-offline", {{"epochs", "2"}}});
  EXPECT_EQ(learner->epoch_of(0), 1);
  EXPECT_EQ(learner->epoch_of(learner->pieces() - 1), 0);
  learn_task(*learner, halves(48, {0, 1}, 1));
  EXPECT_EQ(learner->memory()->size(), 20);
  EXPECT_EQ(learner->memory()->scores().size(), 20U);
}

TEST(RainbowMemoryOffline, RemembersBothTasks) { EXPECT_GT(kept_accuracy("rm-offline"), 0.7); }

}  // namespace
}  // namespace perennial
