#include <algorithm>
#include <numeric>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "perennial/data/augment.h"

namespace perennial {
namespace {

/// Image n holds the value n alone, so that every pixel tells where it is from.
at::Tensor numbered(int64_t n, int64_t channels, int64_t height, int64_t width) {
  at::Tensor images = at::empty({n, channels, height, width}, at::TensorOptions().dtype(at::kByte));
  for (int64_t i = 0; i < n; ++i) images.select(0, i).fill_(i);
  return images;
}

TEST(CutMix, LambdaIsTheShareThatStays) {
  const int64_t n = 16, height = 24, width = 32;
  const at::Tensor images = numbered(n, 3, height, width);
  for (uint64_t position = 0; position < 300; ++position) {
    const Mixture mixed = cutmix(images, 3, position);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t partner = mixed.partner[static_cast<size_t>(i)];
      const auto* p = mixed.inputs.select(0, i).const_data_ptr<uint8_t>();
      const auto pasted = std::count(p, p + 3 * height * width, partner);
      const auto kept = std::count(p, p + 3 * height * width, i);
      if (partner == i) continue;
      EXPECT_EQ(pasted + kept, 3 * height * width);
      EXPECT_NEAR(mixed.lambda, 1.0 - static_cast<double>(pasted) / (3.0 * height * width), 1e-12);
    }
  }
}

TEST(CutMix, PastesTheSameOneBoxIntoEveryImage) {
  const int64_t n = 12, side = 32;
  const at::Tensor images = numbered(n, 1, side, side);
  int boxes = 0;
  for (uint64_t position = 0; position < 60; ++position) {
    const Mixture mixed = cutmix(images, 5, position);
    if (mixed.lambda == 1.0) continue;
    ++boxes;
    for (int64_t i = 0; i < n; ++i) {
      if (mixed.partner[static_cast<size_t>(i)] == i) continue;
      const auto* p = mixed.inputs.select(0, i).const_data_ptr<uint8_t>();
      int64_t left = side, right = 0, top = side, bottom = 0, area = 0;
      for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x)
          if (p[y * side + x] != i) {
            left = std::min(left, x), right = std::max(right, x + 1);
            top = std::min(top, y), bottom = std::max(bottom, y + 1);
            ++area;
          }
      EXPECT_EQ(area, (right - left) * (bottom - top)) << "the pasted pixels are a box";
      EXPECT_NEAR(mixed.lambda, 1.0 - static_cast<double>(area) / (side * side), 1e-12);
    }
  }
  EXPECT_GT(boxes, 15);
}

TEST(CutMix, PartnersAreAPermutationAndHalfOfTheBatchesAreMixed) {
  const int64_t n = 32;
  const at::Tensor images = numbered(n, 1, 8, 8);
  std::vector<int64_t> identity(static_cast<size_t>(n));
  std::iota(identity.begin(), identity.end(), 0);
  int mixed_batches = 0;
  double lambdas = 0;
  for (uint64_t position = 0; position < 2000; ++position) {
    Mixture mixed = cutmix(images, 1, position);
    if (mixed.partner == identity) {
      EXPECT_EQ(mixed.lambda, 1.0);
      EXPECT_TRUE(at::equal(mixed.inputs, images));
      continue;
    }
    ++mixed_batches;
    lambdas += mixed.lambda;
    std::sort(mixed.partner.begin(), mixed.partner.end());
    EXPECT_EQ(mixed.partner, identity);
  }
  EXPECT_NEAR(mixed_batches, 1000, 80);
  // E[lambda] before clipping is 1/2; clipping at the border and rounding down leave more.
  EXPECT_GT(lambdas / mixed_batches, 0.55);
  EXPECT_LT(lambdas / mixed_batches, 0.80);
}

TEST(CutMix, TakesABatchOfOneAndAnEmptyOne) {
  EXPECT_EQ(cutmix(numbered(0, 3, 8, 8), 1, 1).partner.size(), 0U);
  for (uint64_t position = 0; position < 10; ++position) {
    const Mixture mixed = cutmix(numbered(1, 3, 8, 8), 1, position);
    EXPECT_EQ(mixed.partner, (std::vector<int64_t>{0}));
    EXPECT_TRUE(at::equal(mixed.inputs, numbered(1, 3, 8, 8)));
  }
}

}  // namespace
}  // namespace perennial
