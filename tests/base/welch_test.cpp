#include "perennial/base/welch.h"

#include <vector>

#include <gtest/gtest.h>

namespace perennial {
namespace {

// The t distribution's table: one-sided 5 % points.
TEST(Welch, AgreesWithTheTableOfT) {
  // Equal variances and sizes: freedom 2 (n - 1) = 8, whose 5 % point is 1.8595.
  const std::vector<double> b{-2, -1, 0, 1, 2};  // variance of the mean 2.5 / 5
  std::vector<double> a = b;
  for (double& x : a) x += 1.8595;  // t = 1.8595 / sqrt(1)
  EXPECT_NEAR(welch_p_greater(a, b), 0.05, 1e-4);
  EXPECT_NEAR(welch_p_greater(b, a), 0.95, 1e-4);
  for (double& x : a) x += 2.8965 - 1.8595;  // the 1 % point
  EXPECT_NEAR(welch_p_greater(a, b), 0.01, 1e-4);
}

TEST(Welch, TakesUnequalVariancesAndSizes) {
  // Sides of variance 2.5 / 5 and 10 / 10 have (0.5 + 1)^2 / (0.25 / 4 + 1 / 9) = 12.96 degrees of freedom.
  const std::vector<double> a{3, 4, 5, 6, 7};
  std::vector<double> b;
  for (int i = 0; i < 10; ++i) b.push_back(5 + (i % 2 == 0 ? 3.0 : -3.0));
  EXPECT_NEAR(welch_p_greater(a, b), 0.5, 1e-12);
}

TEST(Welch, KnowsNothingOfOneAndAllOfConstants) {
  const std::vector<double> one{1}, low{1, 1, 1}, high{2, 2, 2};
  EXPECT_EQ(welch_p_greater(one, low), 0.5);
  EXPECT_EQ(welch_p_greater(high, low), 0);
  EXPECT_EQ(welch_p_greater(low, high), 1);
  EXPECT_EQ(welch_p_greater(low, low), 0.5);
}

}  // namespace
}  // namespace perennial
