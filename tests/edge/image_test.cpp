#include "edge/image.h"

#include <cmath>

#include <gtest/gtest.h>

namespace perennial::edge {
namespace {

PortRecord plain(bool bgr) {
  PortRecord p{};
  p.divisor = 1;
  p.flags = bgr ? uint32_t{kBlueFirst} : 0;
  for (float& s : p.std) s = 1;
  return p;
}

TEST(Resizer, TheSameSizeIsACopyInTheOrderOfThePlanes) {
  std::vector<uint8_t> rgb;
  for (int i = 0; i < 5 * 4 * 3; ++i) rgb.push_back(static_cast<uint8_t>(i * 4));
  std::vector<float> planes(3 * 20);
  Resizer resizer;
  resizer.to_planes({rgb.data(), 5, 4, 15, 3}, plain(false), 5, 4, planes.data());
  for (size_t c = 0; c < 3; ++c)
    for (size_t p = 0; p < 20; ++p) EXPECT_FLOAT_EQ(planes[c * 20 + p], rgb[p * 3 + c]);
  resizer.to_planes({rgb.data(), 5, 4, 15, 3}, plain(true), 5, 4, planes.data());
  EXPECT_FLOAT_EQ(planes[0], rgb[2]);
  EXPECT_FLOAT_EQ(planes[40], rgb[0]);
}

TEST(Resizer, NormalisesAsItsPortSays) {
  const std::vector<uint8_t> grey(3 * 16, 100);
  PortRecord p = plain(true);
  p.divisor = 255;
  for (int c = 0; c < 3; ++c) p.mean[c] = static_cast<float>(10 * c), p.std[c] = static_cast<float>(c + 1);
  std::vector<float> planes(3 * 4);
  Resizer().to_planes({grey.data(), 4, 4, 12, 3}, p, 2, 2, planes.data());
  for (int c = 0; c < 3; ++c)
    EXPECT_NEAR(planes[static_cast<size_t>(c) * 4], (100.0 - 10 * c) / (c + 1) / 255, 1e-6);
}

TEST(Resizer, AFourthByteAndGapsBetweenRowsAreIgnored) {
  std::vector<uint8_t> rgb(2 * 2 * 3), padded(2 * 20, 255);
  for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(i * 9);
  for (size_t y = 0; y < 2; ++y)
    for (size_t x = 0; x < 2; ++x)
      for (size_t c = 0; c < 3; ++c) padded[y * 20 + x * 4 + c] = rgb[(y * 2 + x) * 3 + c];
  std::vector<float> a(3 * 9), b(3 * 9);
  Resizer resizer;
  resizer.to_planes({rgb.data(), 2, 2, 6, 3}, plain(false), 3, 3, a.data());
  resizer.to_planes({padded.data(), 2, 2, 20, 4}, plain(false), 3, 3, b.data());
  EXPECT_EQ(a, b);
}

// Shrinking averages: a chequerboard becomes grey and does not alias.
TEST(Resizer, ShrinkingIsAntialiased) {
  std::vector<uint8_t> board(64 * 64 * 3);
  for (size_t p = 0; p < 64 * 64; ++p)
    for (size_t c = 0; c < 3; ++c) board[p * 3 + c] = (p % 64 + p / 64) % 2 == 0 ? 255 : 0;
  std::vector<float> planes(3 * 64);
  Resizer().to_planes({board.data(), 64, 64, 192, 3}, plain(false), 8, 8, planes.data());
  for (const float v : planes) EXPECT_NEAR(v, 127.5, 2);
}

TEST(Resizer, MatteBytesAreRounded) {
  const std::vector<float> plane{0, 0.5F, 1, 1.0F / 3};
  std::vector<uint8_t> out(4);
  Resizer().to_bytes(plane.data(), 2, 2, out.data(), 2, 2, 2);
  EXPECT_EQ(out, (std::vector<uint8_t>{0, 128, 255, 85}));
}

}  // namespace
}  // namespace perennial::edge
