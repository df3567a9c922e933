#include "perennial/nn/schedule.h"

#include <numeric>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace perennial {
namespace {

TEST(Schedule, GivesTheRatesOfAPublishedRainbowMemoryLog) {
  const std::vector<double> log{0.005, 0.05, 0.05, 0.0253, 0.05, 0.0428, 0.0253, 0.0077, 0.05};
  for (size_t epoch = 0; epoch < log.size(); ++epoch)
    EXPECT_NEAR(rainbow_warm_restarts(0.05, static_cast<int64_t>(epoch)), log[epoch], 5e-5) << epoch;
  EXPECT_NEAR(rainbow_warm_restarts(0.05, 128), 0.05, 1e-12);  // 1-based epoch 129 starts a cycle
}

TEST(Schedule, WarmRestartsEndACycleNearTheMinimumAfter255Epochs) {
  EXPECT_NEAR(warm_restarts(0.05, 254), 5e-4, 2e-5);
  EXPECT_NEAR(warm_restarts(0.05, 255), 0.05, 1e-12);
  for (int64_t s = 0; s < 1000; ++s) {
    EXPECT_GE(warm_restarts(1, s), 0.01);
    EXPECT_LE(warm_restarts(1, s), 1.0);
  }
}

TEST(Schedule, CosineFallsFromTheRateToZero) {
  EXPECT_DOUBLE_EQ(cosine_to_zero(0.1, 0, 40), 0.1);
  EXPECT_NEAR(cosine_to_zero(0.1, 20, 40), 0.05, 1e-12);
  EXPECT_DOUBLE_EQ(cosine_to_zero(0.1, 40, 40), 0);
  for (int64_t step = 1; step <= 40; ++step)
    EXPECT_LT(cosine_to_zero(0.1, step, 40), cosine_to_zero(0.1, step - 1, 40));
}

TEST(Schedule, MultistepBeginsGentlyAndFallsTenfoldAfterEachMilestone) {
  EXPECT_DOUBLE_EQ(multistep(1, 0), 0.1);
  EXPECT_DOUBLE_EQ(multistep(1, 1), 1);
  EXPECT_DOUBLE_EQ(multistep(1, 30), 1);
  EXPECT_NEAR(multistep(1, 31), 0.1, 1e-12);
  EXPECT_NEAR(multistep(1, 80), 0.01, 1e-12);
  EXPECT_NEAR(multistep(1, 99), 1e-4, 1e-12);
}

TEST(Schedule, CountsStepsForCosineAndEpochsForTheOthers) {
  EXPECT_NEAR(learning_rate("cosine", 0.1, 1, 2, 5, 10), cosine_to_zero(0.1, 15, 20), 1e-15);
  EXPECT_GT(learning_rate("cosine", 0.1, 1, 2, 9, 10), 0);
  EXPECT_NEAR(learning_rate("warm_restarts", 0.1, 3, 5, 7, 10), warm_restarts(0.1, 3), 1e-15);
  EXPECT_NEAR(learning_rate("multistep", 0.1, 32, 100, 7, 10), 0.01, 1e-15);
  EXPECT_DOUBLE_EQ(learning_rate("constant", 0.1, 31, 100, 7, 10), 0.1);
  EXPECT_THROW(learning_rate("cosin", 0.1, 0, 1, 0, 1), std::invalid_argument);
}

}  // namespace
}  // namespace perennial
