#include "perennial/base/random.h"

#include <set>

#include <gtest/gtest.h>

namespace perennial {
namespace {

TEST(Philox, GivesThePublishedKnownAnswers) {
  // Random123's kat_vectors for philox4x32-10.
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, IsAFunctionOfSeedPurposePositionAndId) {
  const auto first = [](uint64_t seed, const char* purpose, uint64_t position, uint64_t id) {
    return Random(seed, purpose, position, id).next();
  };
  EXPECT_EQ(first(1, "crop", 2, 3), first(1, "crop", 2, 3));
  const std::set<uint32_t> distinct{first(1, "crop", 2, 3), first(2, "crop", 2, 3), first(1, "flip", 2, 3),
                                    first(1, "crop", 3, 3), first(1, "crop", 2, 4)};
  EXPECT_EQ(distinct.size(), 5U);
}

TEST(Random, BelowIsUniform) {
  Random random(7, "test");
  std::array<int, 5> counts{};
  for (int i = 0; i < 50000; ++i) ++counts[random.below(5)];
  for (const int n : counts) EXPECT_NEAR(n, 10000, 400);
}

TEST(Random, PermutationHoldsEveryIndexOnce) {
  const auto order = permutation(1000, Random(1, "order"));
  EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 1000U);
  EXPECT_NE(order, permutation(1000, Random(2, "order")));
}

}  // namespace
}  // namespace perennial
