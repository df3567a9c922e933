#include "perennial/tasks/segment/matte_augment.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/tasks/segment/matte_pixels.h"

namespace perennial {
namespace {

constexpr MatteAugmentation kNothing{false, false, false, false, false};

Matte noise_matte(uint64_t id, int64_t height, int64_t width) {
  Matte matte{std::to_string(id), static_cast<int64_t>(id), {3, height, width, {}}, {}};
  Random random(1, "matte", 0, id);
  for (int64_t i = 0; i < 3 * height * width; ++i)
    matte.image.pixels.push_back(static_cast<uint8_t>(random.below(256)));
  for (int64_t i = 0; i < height * width; ++i) matte.mask.push_back(static_cast<uint8_t>(random.below(2)));
  return matte;
}

/// A white disc off the centre on black, and its mask.
Matte disc(uint64_t id) {
  Matte matte = noise_matte(id, 60, 90);
  for (int64_t y = 0; y < 60; ++y)
    for (int64_t x = 0; x < 90; ++x) {
      const auto at = static_cast<size_t>(y * 90 + x);
      matte.mask[at] = (x - 50) * (x - 50) + (y - 25) * (y - 25) < 300;
      for (size_t c = 0; c < 3; ++c) matte.image.pixels[c * 5400 + at] = matte.mask[at] ? 255 : 0;
    }
  return matte;
}

std::vector<Matte> mattes_of(uint64_t count, Matte (*make)(uint64_t)) {
  std::vector<Matte> all;
  for (uint64_t i = 0; i < count; ++i) all.push_back(make(i));
  return all;
}

std::vector<int64_t> all_rows(const std::vector<Matte>& mattes) {
  std::vector<int64_t> rows(mattes.size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

bool same(const at::Tensor& a, const at::Tensor& b) { return a.equal(b); }

/// One image of an operation.
struct Canvas {
  std::vector<uint8_t> values;
  ImageView view;
  Canvas(int channels, int side, uint8_t value)
      : values(static_cast<size_t>(channels * side * side), value),
        view{values.data(), channels, side, side} {}
};

TEST(MatteAugment, SameForOneAndThreeThreads) {
  const auto mattes =
      mattes_of(9, [](uint64_t i) { return noise_matte(i, 40 + static_cast<int64_t>(i), 51); });
  const int before = thread_count();
  set_thread_count(1);
  const MatteBatch one = augment_mattes(mattes, all_rows(mattes), 64, {}, 5, 3);
  set_thread_count(3);
  const MatteBatch three = augment_mattes(mattes, all_rows(mattes), 64, {}, 5, 3);
  set_thread_count(before);
  EXPECT_TRUE(same(one.images, three.images));
  EXPECT_TRUE(same(one.masks, three.masks));
}

TEST(MatteAugment, DependsOnSeedPositionAndIdAlone) {
  const auto mattes = mattes_of(4, disc);
  const std::vector<int64_t> rows{0, 1, 2, 3}, last{3};
  const MatteBatch batch = augment_mattes(mattes, rows, 48, {}, 5, 3);
  EXPECT_TRUE(same(batch.images[3], augment_mattes(mattes, last, 48, {}, 5, 3).images[0]));
  EXPECT_FALSE(same(batch.images, augment_mattes(mattes, rows, 48, {}, 5, 4).images));
  EXPECT_FALSE(same(batch.images, augment_mattes(mattes, rows, 48, {}, 6, 3).images));
  EXPECT_FALSE(same(batch.images[0], batch.images[1]));
}

TEST(MatteAugment, ImageAndMaskMoveTogether) {
  MatteAugmentation moves = kNothing;
  moves.warp = moves.flip = true;
  const auto mattes = mattes_of(24, disc);
  const MatteBatch batch = augment_mattes(mattes, all_rows(mattes), 96, moves, 1, 0);
  const at::Tensor grey = batch.images.select(1, 0);
  EXPECT_GT(batch.masks.sum().item().toLong(), 24 * 100);
  EXPECT_EQ(batch.masks.masked_select(grey.eq(255)).eq(0).sum().item().toLong(), 0);
  EXPECT_EQ(batch.masks.masked_select(grey.eq(0)).sum().item().toLong(), 0);
  EXPECT_GT(grey.eq(255).sum().item().toDouble(), 0.8 * batch.masks.sum().item().toDouble());
  EXPECT_GT(grey.eq(128).sum().item().toLong(), 0);  // outside of the photograph
}

TEST(MatteAugment, WithoutAnyStepTheImageIsStretched) {
  const std::vector<Matte> mattes{disc(0)};
  const std::vector<int64_t> rows{0};
  const MatteBatch plain = augment_mattes(mattes, rows, 64, kNothing, 1, 0),
                   expected = matte_batch(mattes, 0, 1, 64);
  EXPECT_TRUE(same(plain.images, expected.images));
  EXPECT_TRUE(same(plain.masks, expected.masks));
}

TEST(MatteAugment, ColourBlurAndNoiseLeaveTheMask) {
  MatteAugmentation values{false, false, true, true, true};
  const auto mattes = mattes_of(16, disc);
  const auto rows = all_rows(mattes);
  const MatteBatch changed = augment_mattes(mattes, rows, 64, values, 1, 0);
  const MatteBatch plain = augment_mattes(mattes, rows, 64, kNothing, 1, 0);
  EXPECT_TRUE(same(changed.masks, plain.masks));
  EXPECT_FALSE(same(changed.images, plain.images));
}

TEST(MatteAugment, FlipHappensHalfTheTime) {
  MatteAugmentation flip = kNothing;
  flip.flip = true;
  const auto mattes = mattes_of(200, disc);
  const MatteBatch flipped = augment_mattes(mattes, all_rows(mattes), 16, flip, 1, 0);
  const MatteBatch plain = augment_mattes(mattes, all_rows(mattes), 16, kNothing, 1, 0);
  int64_t count = 0;
  for (int64_t i = 0; i < 200; ++i) {
    count += !same(flipped.images[i], plain.images[i]);
    EXPECT_TRUE(same(flipped.masks[i], plain.masks[i]) || same(flipped.masks[i], plain.masks[i].flip({1})));
  }
  EXPECT_NEAR(static_cast<double>(count), 100, 30);
}

TEST(MatteAugment, WarpByNothingIsAWindowAroundTheCentre) {
  const Matte matte = noise_matte(1, 40, 60);
  Canvas image(3, 20, 0), mask(1, 20, 0);
  warp_matte(matte, {0, 1, 10, 10}, image.view, mask.view);
  EXPECT_EQ(image.view.row(2, 3)[5], matte.image.pixels[2 * 2400 + 13 * 60 + 25]);
  EXPECT_EQ(mask.view.row(0, 3)[5], matte.mask[13 * 60 + 25]);
}

TEST(MatteAugment, WarpTurnsCounterClockwiseAndScales) {
  Matte matte = noise_matte(1, 41, 41);
  std::fill(matte.image.pixels.begin(), matte.image.pixels.end(), uint8_t{0});
  std::fill(matte.mask.begin(), matte.mask.end(), uint8_t{0});
  matte.mask[20 * 41 + 26] = 1;  // 6 right of the middle pixel
  Canvas image(3, 41, 0), mask(1, 41, 0);
  warp_matte(matte, {90, 1, 20, 20}, image.view, mask.view);
  EXPECT_EQ(mask.view.row(0, 14)[20], 1);  // 6 above it
  warp_matte(matte, {0, 2, 20, 20}, image.view, mask.view);
  EXPECT_EQ(mask.view.row(0, 20)[32], 1);
}

TEST(MatteAugment, BlursAreTheDefinition) {
  const auto impulse = [](void (*blur)(ImageView, int), int side) {
    Canvas canvas(1, 9, 0);
    canvas.view.row(0, 4)[4] = 255;
    blur(canvas.view, side);
    return canvas.values;
  };
  const auto at = [](const std::vector<uint8_t>& v, size_t y, size_t x) {
    return static_cast<int>(v[y * 9 + x]);
  };
  EXPECT_EQ(at(impulse(gaussian_blur, 3), 4, 4), (255 * 4 + 8) / 16);
  EXPECT_EQ(at(impulse(gaussian_blur, 5), 4, 5), (255 * 24 + 128) / 256);
  EXPECT_EQ(at(impulse(gaussian_blur, 3), 4, 6), 0);
  EXPECT_EQ(at(impulse(box_blur, 5), 2, 6), 10);
  EXPECT_EQ(at(impulse(box_blur, 5), 1, 4), 0);
  EXPECT_EQ(at(impulse(median_blur, 3), 4, 4), 0);
  Canvas flat(3, 7, 93);
  gaussian_blur(flat.view, 5), box_blur(flat.view, 3), median_blur(flat.view, 5);
  EXPECT_EQ(flat.values, Canvas(3, 7, 93).values);
}

TEST(MatteAugment, NoiseHasItsDeviation) {
  Canvas canvas(3, 64, 128);
  Random random(1, "noise test");
  add_noise(canvas.view, 8, random);
  double sum = 0, squares = 0;
  for (const uint8_t v : canvas.values) sum += v - 128.0, squares += (v - 128.0) * (v - 128.0);
  const auto n = static_cast<double>(canvas.values.size());
  EXPECT_NEAR(sum / n, 0, 0.3);
  EXPECT_NEAR(std::sqrt(squares / n), 8, 0.3);
}

TEST(MatteAugment, BadRowsAreRefused) {
  const std::vector<Matte> mattes{disc(0)};
  const std::vector<int64_t> beyond{1}, good{0};
  EXPECT_THROW(augment_mattes(mattes, beyond, 64, {}, 1, 0), std::invalid_argument);
  EXPECT_THROW(augment_mattes(mattes, good, 0, {}, 1, 0), std::invalid_argument);
  EXPECT_EQ(augment_mattes(mattes, {}, 64, {}, 1, 0).images.size(0), 0);
}

}  // namespace
}  // namespace perennial
