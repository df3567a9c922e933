#include "perennial/tasks/segment/segmentation_metrics.h"

#include <cmath>

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/tasks/segment/boundary.h"

namespace perennial {
namespace {

at::Tensor empty_mask(int64_t n = 1, int64_t side = 32) { return at::zeros({n, side, side}, at::kByte); }

at::Tensor box(int64_t left, int64_t top, int64_t right, int64_t bottom) {
  at::Tensor mask = empty_mask();
  mask.slice(1, top, bottom).slice(2, left, right).fill_(1);
  return mask;
}

at::Tensor random_mask(uint64_t id, double share) {
  at::Tensor mask = empty_mask();
  Random random(3, "mask", 0, id);
  auto* p = mask.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < mask.numel(); ++i) p[i] = random.chance(static_cast<float>(share));
  return mask;
}

SegmentationScores scores(const at::Tensor& predicted, const at::Tensor& truth, int64_t band = 15) {
  SegmentationMetrics metrics(band);
  metrics.add(predicted, truth);
  return metrics.scores();
}

/// The definition, pixel by pixel.
bool in_band(const uint8_t* mask, int64_t side, int64_t y, int64_t x, int64_t reach) {
  bool one = false, zero = false;
  for (int64_t v = std::max<int64_t>(0, y - reach); v <= std::min(side - 1, y + reach); ++v)
    for (int64_t u = std::max<int64_t>(0, x - reach); u <= std::min(side - 1, x + reach); ++u)
      (mask[v * side + u] == 1 ? one : zero) = true;
  return one && zero;
}

double slow_f1(const at::Tensor& predicted, const at::Tensor& truth, int64_t band) {
  const auto *p = predicted.const_data_ptr<uint8_t>(), *t = truth.const_data_ptr<uint8_t>();
  double both = 0, sum = 0;
  for (int64_t y = 0; y < 32; ++y)
    for (int64_t x = 0; x < 32; ++x) {
      if (!in_band(t, 32, y, x, band / 2)) continue;
      both += p[y * 32 + x] & t[y * 32 + x];
      sum += p[y * 32 + x] + t[y * 32 + x];
    }
  return sum == 0 ? 1 : 2 * both / sum;
}

TEST(SegmentationMetrics, CountsPixelsOfBoxes) {
  const SegmentationScores s = scores(box(0, 0, 16, 8), box(8, 0, 24, 8));  // 64 of 192 in common
  EXPECT_DOUBLE_EQ(s.foreground_iou, 64.0 / 192);
  EXPECT_DOUBLE_EQ(s.miou, (64.0 / 192 + (1024.0 - 192) / (1024 - 64)) / 2);
  EXPECT_EQ(s.images, 1);
}

TEST(SegmentationMetrics, EmptyUnionCountsOne) {
  const SegmentationScores s = scores(empty_mask(), empty_mask());
  EXPECT_EQ(s.foreground_iou, 1);
  EXPECT_EQ(s.boundary_f1, 1);
  EXPECT_EQ(s.miou, 1);
  EXPECT_EQ(scores(box(0, 0, 4, 4), empty_mask()).foreground_iou, 0);
}

TEST(SegmentationMetrics, ForegroundIouIsTheMeanOverImagesAndMiouOverPixels) {
  const at::Tensor predicted = at::cat({box(0, 0, 32, 32), empty_mask()});
  const at::Tensor truth = at::cat({box(0, 0, 32, 32), box(0, 0, 1, 1)});
  const SegmentationScores s = scores(predicted, truth);
  EXPECT_DOUBLE_EQ(s.foreground_iou, 0.5);
  EXPECT_DOUBLE_EQ(s.miou, (1024.0 / 1025 + 1023.0 / 1024) / 2);
}

TEST(SegmentationMetrics, DivisionIntoBatchesDoesNotMatter) {
  const at::Tensor predicted = at::cat({random_mask(1, 0.3), random_mask(2, 0.7), box(3, 3, 20, 20)});
  const at::Tensor truth = at::cat({random_mask(4, 0.5), box(5, 5, 30, 9), box(4, 2, 19, 21)});
  SegmentationMetrics one_by_one;
  for (int64_t i = 0; i < 3; ++i) one_by_one.add(predicted.narrow(0, i, 1), truth.narrow(0, i, 1));
  const SegmentationScores a = one_by_one.scores(), b = scores(predicted, truth);
  EXPECT_EQ(a.foreground_iou, b.foreground_iou);
  EXPECT_EQ(a.miou, b.miou);
  EXPECT_EQ(a.boundary_f1, b.boundary_f1);
  EXPECT_EQ(a.images, 3);
}

TEST(SegmentationMetrics, BoundaryF1IsTheDefinition) {
  for (const int64_t band : {3, 5, 15})
    for (uint64_t i = 0; i < 4; ++i) {
      const at::Tensor predicted = i == 3 ? box(0, 5, 21, 32) : random_mask(i, 0.4);
      const at::Tensor truth = i < 2 ? box(4, 4, 25, 31) : random_mask(10 + i, 0.02);
      EXPECT_DOUBLE_EQ(scores(predicted, truth, band).boundary_f1, slow_f1(predicted, truth, band));
    }
}

TEST(SegmentationMetrics, BoundaryF1SeesOnlyTheBand) {
  at::Tensor predicted = box(8, 8, 24, 24);
  predicted.slice(1, 0, 2).fill_(1);  // far from the contour for a band of 5
  EXPECT_EQ(scores(predicted, box(8, 8, 24, 24), 5).boundary_f1, 1);
  EXPECT_LT(scores(predicted, box(8, 8, 24, 24), 15).boundary_f1, 1);
}

TEST(SegmentationMetrics, BadArgumentsAreRefused) {
  SegmentationMetrics metrics;
  EXPECT_THROW(metrics.add(empty_mask(1, 8), empty_mask(1, 9)), std::invalid_argument);
  EXPECT_THROW(metrics.add(empty_mask()[0], empty_mask()[0]), std::invalid_argument);
  EXPECT_THROW(boundary_band(empty_mask(), 4), std::invalid_argument);
  EXPECT_EQ(metrics.scores().images, 0);
  EXPECT_TRUE(std::isnan(metrics.scores().foreground_iou)) << "no image is not 0 %";
}

}  // namespace
}  // namespace perennial
