#include "edge/refine.h"

#include <gtest/gtest.h>

namespace perennial::edge {
namespace {

std::vector<uint8_t> refined(const std::vector<float>& plane, int32_t side, const std::vector<uint8_t>& rgb,
                             int32_t width, int32_t height) {
  std::vector<uint8_t> alpha(static_cast<size_t>(width) * static_cast<size_t>(height));
  Refiner().refine(plane.data(), side, side, {rgb.data(), width, height, static_cast<size_t>(3 * width), 3},
                   alpha.data(), static_cast<size_t>(width));
  return alpha;
}

TEST(Refiner, AnEvenMatteStaysAsItIs) {
  std::vector<uint8_t> rgb(90 * 70 * 3);
  for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(i * 37);
  for (const uint8_t a : refined(std::vector<float>(256, 0.6F), 16, rgb, 90, 70)) EXPECT_NEAR(a, 153, 1);
}

// The matte knows the edge to within a pixel of its own, eight of the photograph's; the photograph knows it
// exactly.
TEST(Refiner, AnEdgeMovesToTheOneInThePhotograph) {
  constexpr int32_t kSide = 16, kWidth = 128, kEdge = 61;
  std::vector<uint8_t> rgb(kWidth * kWidth * 3);
  for (int32_t p = 0; p < kWidth * kWidth; ++p)
    for (int32_t c = 0; c < 3; ++c) rgb[static_cast<size_t>(3 * p + c)] = p % kWidth < kEdge ? 30 : 220;
  std::vector<float> plane(kSide * kSide);
  for (size_t p = 0; p < plane.size(); ++p) plane[p] = p % kSide < 7 ? 0.0F : p % kSide == 7 ? 0.5F : 1.0F;
  const auto alpha = refined(plane, kSide, rgb, kWidth, kWidth);
  const uint8_t* row = alpha.data() + 64 * kWidth;
  EXPECT_LT(row[kEdge - 1], 80);
  EXPECT_GT(row[kEdge], 175);
}

TEST(Refiner, SmallerPhotographsThanTheMatteAndOnePixelWork) {
  EXPECT_EQ(refined(std::vector<float>(1024, 1.0F), 32, {9, 9, 9}, 1, 1), std::vector<uint8_t>{255});
  EXPECT_EQ(refined(std::vector<float>(1, 0.0F), 1, std::vector<uint8_t>(30, 200), 5, 2),
            std::vector<uint8_t>(10, 0));
}

}  // namespace
}  // namespace perennial::edge
