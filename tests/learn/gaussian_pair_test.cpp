#include "perennial/learn/gaussian_pair.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "perennial/base/random.h"

namespace perennial {
namespace {

/// Sixty numbers around 0.1 and forty around 0.8.
std::vector<float> bumps(uint64_t seed) {
  std::vector<float> x;
  Random random(seed, "bumps");
  for (int i = 0; i < 100; ++i)
    x.push_back(static_cast<float>((i < 60 ? 0.1 : 0.8) + 0.05 * random.normal()));
  return x;
}

TEST(GaussianPair, TellsTwoBumpsApart) {
  const auto p = lower_of_two_gaussians(bumps(1));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(p[i] > 0.5F, i < 60) << i;
}

TEST(GaussianPair, TheOrderOfTheNumbersDoesNotMatter) {
  std::vector<float> x = bumps(2);
  const auto before = lower_of_two_gaussians(x);
  std::reverse(x.begin(), x.end());
  auto after = lower_of_two_gaussians(x);
  std::reverse(after.begin(), after.end());
  EXPECT_EQ(before, after);
}

TEST(GaussianPair, TakesEqualNumbersOneAndNone) {
  EXPECT_TRUE(lower_of_two_gaussians({}).empty());
  EXPECT_EQ(lower_of_two_gaussians(std::vector<float>{0.3F}), std::vector<float>{1.0F});
  EXPECT_EQ(lower_of_two_gaussians(std::vector<float>(5, 0.3F)), std::vector<float>(5, 1.0F));
}

TEST(GaussianPair, TheSmallerMeanIsTheLowerOne) {
  const auto p = lower_of_two_gaussians(std::vector<float>{0.0F, 0.01F, 0.02F, 1.0F});
  EXPECT_GT(p[0], p[3]);
}

}  // namespace
}  // namespace perennial
