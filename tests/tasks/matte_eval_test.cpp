#include "perennial/tasks/segment/matte_eval.h"

#include <cstdlib>

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include "perennial/base/progress.h"

namespace perennial {
namespace {

bool in_ellipse(double x, double y, double cx, double cy, double rx, double ry) {
  const double u = (x - cx) / rx, v = (y - cy) / ry;
  return u * u + v * v < 1;
}

std::array<uint8_t, 3> bust_colour(int x, int y, bool& person) {
  const bool head = in_ellipse(x, y, 112, 90, 36, 46), neck = std::abs(x - 112) < 17 && y > 120 && y < 165;
  const bool shoulders = in_ellipse(x, y, 112, 224, 84, 70), hair = in_ellipse(x, y, 112, 70, 42, 38);
  person = head || neck || shoulders || hair;
  const bool eye = in_ellipse(x, y, 98, 88, 5, 3) || in_ellipse(x, y, 126, 88, 5, 3);
  if (eye && head) return {40, 30, 30};
  if (hair && y < 72) return {60, 40, 25};
  if (head || neck) return {215, 170, 140};
  if (hair) return {60, 40, 25};
  if (shoulders) return {50, 70, 130};
  return {static_cast<uint8_t>(150 + y / 4), static_cast<uint8_t>(175 + y / 5),
          static_cast<uint8_t>(200 - y / 8)};
}

/// A drawn head and shoulders on a smooth gradient.
Matte bust() {
  constexpr int kSide = 224, kArea = kSide * kSide;
  Matte matte{"bust", 1, {3, kSide, kSide, std::vector<uint8_t>(3 * kArea)}, std::vector<uint8_t>(kArea)};
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      bool person = false;
      const auto colour = bust_colour(x, y, person);
      const auto at = static_cast<size_t>(y * kSide + x);
      for (size_t c = 0; c < 3; ++c) matte.image.pixels[c * kArea + at] = colour[c];
      matte.mask[at] = person;
    }
  return matte;
}

TEST(MatteEval, PublishedWeightsCutOutADrawnBust) {
  const char* data = std::getenv("PERENNIAL_DATA");
  const std::string path = std::string(data == nullptr ? "" : data) + "/weights/sinet_portrait.safetensors";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "set PERENNIAL_DATA to the folder that holds weights/sinet_portrait.safetensors";
  const auto net = make_sinet({}, 1);
  net->load_weights(read_safetensors(path), path);
  Progress silent;
  const SegmentationScores s = evaluate_mattes(*net, {bust(), bust()}, silent);
  EXPECT_EQ(s.images, 2);
  EXPECT_GT(s.foreground_iou, 0.95);
  EXPECT_GT(s.miou, 0.95);
  EXPECT_GT(s.boundary_f1, 0.9);
}

TEST(MatteEval, OneLogitIsForegroundAboveZero) {
  SinetOptions options;
  options.classes = 1;
  options.height = options.width = 64;
  const auto net = make_sinet(options, 1);
  Progress silent;
  EXPECT_EQ(evaluate_mattes(*net, {bust()}, silent).images, 1);
}

TEST(MatteEval, CityscapesNetworkIsRefused) {
  SinetOptions options;
  options.variant = "cityscapes";
  const auto net = make_sinet(options, 1);
  Progress silent;
  EXPECT_THROW(evaluate_mattes(*net, {bust()}, silent), std::invalid_argument);
}

}  // namespace
}  // namespace perennial
