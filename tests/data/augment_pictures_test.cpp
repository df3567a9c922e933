// Images of any size that come to one, with their masks.
#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/augment.h"
#include "perennial/data/augment/blur.h"
#include "perennial/data/augment/warp.h"

namespace perennial {
namespace {

/// A photograph and its mask.
struct Photo {
  int64_t id, height, width;
  std::vector<uint8_t> pixels, mask;
  ImageView image() { return {pixels.data(), 3, static_cast<int>(height), static_cast<int>(width)}; }
  ImageView mask_image() { return {mask.data(), 1, static_cast<int>(height), static_cast<int>(width)}; }
};

Photo noise_photo(int64_t id, int64_t height, int64_t width) {
  Photo photo{id, height, width, {}, {}};
  Random random(1, "photo", 0, static_cast<uint64_t>(id));
  for (int64_t i = 0; i < 3 * height * width; ++i)
    photo.pixels.push_back(static_cast<uint8_t>(random.below(256)));
  for (int64_t i = 0; i < height * width; ++i) photo.mask.push_back(static_cast<uint8_t>(random.below(2)));
  return photo;
}

/// A white disc off the centre on black, and its mask.
Photo disc(int64_t id) {
  Photo photo = noise_photo(id, 60, 90);
  for (int64_t y = 0; y < 60; ++y)
    for (int64_t x = 0; x < 90; ++x) {
      const auto at = static_cast<size_t>(y * 90 + x);
      photo.mask[at] = (x - 50) * (x - 50) + (y - 25) * (y - 25) < 300;
      for (size_t c = 0; c < 3; ++c) photo.pixels[c * 5400 + at] = photo.mask[at] ? 255 : 0;
    }
  return photo;
}

std::vector<Photo> photos(int64_t count, Photo (*make)(int64_t)) {
  std::vector<Photo> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(make(i));
  return all;
}

Column ragged(const std::vector<Photo>& photos, std::vector<uint8_t> Photo::* bytes) {
  std::vector<int64_t> offsets{0};
  std::vector<uint8_t> all;
  for (const Photo& photo : photos) {
    all.insert(all.end(), (photo.*bytes).begin(), (photo.*bytes).end());
    offsets.push_back(std::ssize(all));
  }
  const at::Tensor values = at::empty({std::ssize(all)}, at::kByte);
  std::copy(all.begin(), all.end(), values.mutable_data_ptr<uint8_t>());
  return {values, offsets};
}

Samples samples_of(const std::vector<Photo>& photos) {
  std::vector<int64_t> ids;
  const at::Tensor sizes = at::empty({std::ssize(photos), 2}, at::kLong);
  for (const Photo& photo : photos) {
    sizes[std::ssize(ids)][0] = photo.height, sizes[std::ssize(ids)][1] = photo.width;
    ids.push_back(photo.id);
  }
  return {ids,
          {{column::kPhotograph, ragged(photos, &Photo::pixels)},
           {column::kPhotographMask, ragged(photos, &Photo::mask)},
           {column::kPhotographSize, sizes}}};
}

const at::Tensor& images(const Samples& samples) { return samples.tensor(column::kImage); }
const at::Tensor& masks(const Samples& samples) { return samples.tensor(column::kMask); }

/// All of SINet's steps, to squares of that side.
Augmentation every_step(int64_t side) {
  Augmentation what = Augmentation::parse("warp,flip,colour,blur,noise");
  what.side = side;
  return what;
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

TEST(AugmentPictures, SameForOneAndThreeThreads) {
  const Samples all = samples_of(photos(9, [](int64_t i) { return noise_photo(i, 40 + i, 51); }));
  set_thread_count(1);
  const Samples one = augment(all, every_step(64), 5, 3);
  set_thread_count(3);
  EXPECT_EQ(augment(all, every_step(64), 5, 3), one);
  set_thread_count(1);
}

TEST(AugmentPictures, DependsOnSeedPositionIdAndPurposeAlone) {
  const Samples all = samples_of(photos(4, disc));
  const Augmentation what = every_step(48);
  const Samples batch = augment(all, what, 5, 3);
  EXPECT_EQ(augment(take(all, std::vector<int64_t>{3}), what, 5, 3), slice(batch, 3, 1));
  EXPECT_FALSE(same(images(batch), images(augment(all, what, 5, 4))));
  EXPECT_FALSE(same(images(batch), images(augment(all, what, 6, 3))));
  EXPECT_FALSE(same(images(batch)[0], images(batch)[1]));
  Augmentation other = what;
  other.purpose = "strong ";
  EXPECT_FALSE(same(images(batch), images(augment(all, other, 5, 3))));
}

TEST(AugmentPictures, ImageAndMaskMoveTogether) {
  Augmentation what = Augmentation::parse("warp,flip");
  what.side = 96;
  const Samples batch = augment(samples_of(photos(24, disc)), what, 1, 0);
  const at::Tensor grey = images(batch).select(1, 0), mask = masks(batch);
  EXPECT_GT(mask.sum().item().toLong(), 24 * 100);
  EXPECT_EQ(mask.masked_select(grey.eq(255)).eq(0).sum().item().toLong(), 0);
  EXPECT_EQ(mask.masked_select(grey.eq(0)).sum().item().toLong(), 0);
  EXPECT_GT(grey.eq(255).sum().item().toDouble(), 0.8 * mask.sum().item().toDouble());
  EXPECT_GT(grey.eq(128).sum().item().toLong(), 0);  // outside of the photograph
}

// Images of one size with masks, as a memory keeps them.
TEST(AugmentPictures, MasksOfOneSizeMoveWithTheirImages) {
  const Samples kept = augment(samples_of(photos(40, disc)), {.side = 64}, 0, 0);
  for (const char* steps : {"crop", "flip", "crop,flip", "warp"}) {
    const Samples moved = augment(kept, Augmentation::parse(steps), 1, 0);
    EXPECT_EQ(moved.ids(), kept.ids());
    EXPECT_FALSE(same(masks(moved), masks(kept))) << steps;
    const at::Tensor white = images(moved).select(1, 0).ge(140);  // 128 is outside
    EXPECT_LT(masks(moved).ne(white).sum().item().toDouble(), 0.1 * white.sum().item().toDouble()) << steps;
  }
}

TEST(AugmentPictures, OtherColumnsStay) {
  at::Tensor labels = at::empty({3}, at::kLong);
  labels.fill_(7);
  const Samples some = samples_of(photos(3, disc)).with(column::kLabel, labels);
  const Samples out = augment(some, every_step(32), 1, 0);
  EXPECT_EQ(out.labels()[2], 7);
  EXPECT_FALSE(out.has(column::kPhotograph) || out.has(column::kPhotographMask) ||
               out.has(column::kPhotographSize));
}

TEST(AugmentPictures, WithoutAnyStepTheImageIsStretched) {
  Photo photo = noise_photo(0, 12, 40);
  std::fill(photo.pixels.begin(), photo.pixels.end(), uint8_t{77});
  for (size_t i = 0; i < 480; ++i) photo.mask[i] = i % 40 < 20;
  const Samples out = augment(samples_of({photo}), {.side = 16}, 1, 0);
  EXPECT_EQ(images(out).sizes(), (std::vector<int64_t>{1, 3, 16, 16}));
  EXPECT_TRUE(images(out).eq(77).all().item().toBool());
  EXPECT_EQ(masks(out).slice(2, 0, 8).sum().item().toLong(), 128);
  EXPECT_EQ(masks(out).slice(2, 8, 16).sum().item().toLong(), 0);
}

TEST(AugmentPictures, ColourBlurAndNoiseLeaveTheMask) {
  const Samples all = samples_of(photos(16, disc));
  Augmentation what = Augmentation::parse("colour,blur,noise");
  what.side = 64;
  const Samples changed = augment(all, what, 1, 0), plain = augment(all, {.side = 64}, 1, 0);
  EXPECT_TRUE(same(masks(changed), masks(plain)));
  EXPECT_FALSE(same(images(changed), images(plain)));
}

TEST(AugmentPictures, FlipHappensHalfTheTime) {
  Augmentation flip = Augmentation::parse("flip");
  flip.side = 16;
  const Samples all = samples_of(photos(200, disc));
  const Samples flipped = augment(all, flip, 1, 0), plain = augment(all, {.side = 16}, 1, 0);
  int64_t count = 0;
  for (int64_t i = 0; i < 200; ++i) {
    count += !same(images(flipped)[i], images(plain)[i]);
    EXPECT_TRUE(same(masks(flipped)[i], masks(plain)[i]) ||
                same(masks(flipped)[i], masks(plain)[i].flip({1})));
  }
  EXPECT_NEAR(static_cast<double>(count), 100, 30);
}

TEST(AugmentPictures, WarpByNothingIsAWindowAroundTheCentre) {
  Photo photo = noise_photo(1, 40, 60);
  Canvas image(3, 20, 0), mask(1, 20, 0);
  warp_image(photo.image(), {0, 1, 10, 10}, image.view);
  warp_mask(photo.mask_image(), {0, 1, 10, 10}, mask.view);
  EXPECT_EQ(image.view.row(2, 3)[5], photo.pixels[2 * 2400 + 13 * 60 + 25]);
  EXPECT_EQ(mask.view.row(0, 3)[5], photo.mask[13 * 60 + 25]);
}

TEST(AugmentPictures, WarpTurnsCounterClockwiseAndScales) {
  Photo photo = noise_photo(1, 41, 41);
  std::fill(photo.mask.begin(), photo.mask.end(), uint8_t{0});
  photo.mask[20 * 41 + 26] = 1;  // 6 right of the middle pixel
  Canvas mask(1, 41, 0);
  warp_mask(photo.mask_image(), {90, 1, 20, 20}, mask.view);
  EXPECT_EQ(mask.view.row(0, 14)[20], 1);  // 6 above it
  warp_mask(photo.mask_image(), {0, 2, 20, 20}, mask.view);
  EXPECT_EQ(mask.view.row(0, 20)[32], 1);
}

TEST(AugmentPictures, BlursAreTheDefinition) {
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

TEST(AugmentPictures, NoiseHasItsDeviation) {
  Canvas canvas(3, 64, 128);
  Random random(1, "noise test");
  add_noise(canvas.view, 8, random);
  double sum = 0, squares = 0;
  for (const uint8_t v : canvas.values) sum += v - 128.0, squares += (v - 128.0) * (v - 128.0);
  const auto n = static_cast<double>(canvas.values.size());
  EXPECT_NEAR(sum / n, 0, 0.3);
  EXPECT_NEAR(std::sqrt(squares / n), 8, 0.3);
}

TEST(AugmentPictures, WhatCannotBeIsRefused) {
  const auto refused = [](const Samples& samples, const std::string& steps, int64_t side) -> std::string {
    Augmentation what = Augmentation::parse(steps);
    what.side = side;
    try {
      augment(samples, what, 1, 0);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  const Samples photo = samples_of({disc(0)}), kept = augment(photo, {.side = 32}, 0, 0);
  using testing::HasSubstr;
  EXPECT_THAT(refused(photo, "flip", 0), HasSubstr("need a side"));
  EXPECT_THAT(refused(photo, "flip", kMaxAugmentSide + 1), HasSubstr("a side from 0 to"));
  EXPECT_THAT(refused(photo, "crop", 32), HasSubstr("crop keeps the size"));
  EXPECT_THAT(refused(kept, "crop,warp", 0), HasSubstr("crop keeps the size"));
  for (const char* policy : {"autoaugment", "randaugment", "randaugment_uda", "cutout"})
    EXPECT_THAT(refused(kept, policy, 0), HasSubstr("masks move with")) << policy;
  Photo wrong = disc(0);
  wrong.height = 61;
  EXPECT_THAT(refused(samples_of({wrong}), "none", 32), HasSubstr("other sizes than are stated"));
  wrong = disc(0);
  wrong.mask.pop_back();
  EXPECT_THAT(refused(samples_of({wrong}), "none", 32), HasSubstr("masks that are not"));
  wrong = disc(0);
  wrong.width = 0;
  EXPECT_THAT(refused(samples_of({wrong}), "none", 32), HasSubstr("a side of 0"));
}

}  // namespace
}  // namespace perennial
