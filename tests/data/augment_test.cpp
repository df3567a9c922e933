#include "perennial/data/augment.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/augment/batch.h"

namespace perennial {
namespace {

at::Tensor noise_images(int64_t n, int64_t c, int64_t h, int64_t w, uint64_t seed = 1) {
  at::Tensor images = at::empty({n, c, h, w}, at::TensorOptions().dtype(at::kByte));
  auto* data = images.mutable_data_ptr<uint8_t>();
  Random random(seed, "test images");
  for (int64_t i = 0; i < images.numel(); ++i)
    data[i] = static_cast<uint8_t>(1 + random.below(255));  // never 0
  return images;
}

std::vector<int64_t> ids_of(int64_t n) {
  std::vector<int64_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 1000);
  return ids;
}

uint8_t pixel(const at::Tensor& images, int64_t n, int64_t c, int64_t y, int64_t x) {
  return images
      .const_data_ptr<uint8_t>()[((n * images.size(1) + c) * images.size(2) + y) * images.size(3) + x];
}

bool same(const at::Tensor& a, const at::Tensor& b) { return at::equal(a, b); }

/// How many images of two batches differ.
int64_t different(const at::Tensor& a, const at::Tensor& b) {
  int64_t count = 0;
  for (int64_t n = 0; n < a.size(0); ++n) count += same(a.select(0, n), b.select(0, n)) ? 0 : 1;
  return count;
}

at::Tensor augmented(const at::Tensor& images, std::span<const int64_t> ids, const Augmentation& what,
                     uint64_t seed, uint64_t position) {
  const Samples samples({ids.begin(), ids.end()}, {{column::kImage, images}});
  return augment(samples, what, seed, position).tensor(column::kImage);
}

const char* const kEach[] = {"crop",        "warp",
                             "flip",        "colour",
                             "blur",        "noise",
                             "cutout",      "autoaugment",
                             "randaugment", "crop,flip,colour,blur,noise,cutout,autoaugment,randaugment"};

TEST(Augmentation, ReadsAndWritesItsText) {
  EXPECT_EQ(Augmentation::parse("none").text(), "none");
  EXPECT_EQ(Augmentation::parse("cutmix, flip,crop").text(), "crop,flip,cutmix");
  const Augmentation both = Augmentation::parse("autoaugment,randaugment");
  EXPECT_TRUE(both.autoaugment && both.randaugment && !both.crop && !both.cutout);
  EXPECT_THROW(Augmentation::parse(""), std::invalid_argument);
  try {
    Augmentation::parse("crop,cutmax");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("cutmix"));
  }
}

TEST(Augment, RefusesWhatIsNotABatchOfImages) {
  const Augmentation crop = Augmentation::parse("crop");
  const auto run = [&](const at::Tensor& images, int64_t n) { augmented(images, ids_of(n), crop, 0, 0); };
  EXPECT_THROW(run(noise_images(2, 3, 8, 8), 3), std::invalid_argument);
  EXPECT_THROW(run(noise_images(2, 2, 8, 8), 2), std::invalid_argument);
  EXPECT_THROW(run(noise_images(2, 3, 8, 8).select(0, 0), 3), std::invalid_argument);
  EXPECT_THROW(run(noise_images(2, 3, 8, 8).to(at::kFloat), 2), std::invalid_argument);
  EXPECT_TRUE(augment({}, crop, 0, 0).empty());
}

TEST(Augment, LeavesItsInputAlone) {
  const at::Tensor images = noise_images(16, 3, 32, 32), before = images.clone();
  for (const char* what : kEach) augmented(images, ids_of(16), Augmentation::parse(what), 1, 1);
  for (int view = 0; view < kPerturbations; ++view)
    perturb(images, ids_of(16), Perturbation::kVr, view, 1, 1);
  for (uint64_t position = 0; position < 8; ++position) cutmix(images, 1, position);
  EXPECT_TRUE(same(images, before));
}

TEST(Augment, DoesNotDependOnThreadsOrOnHowABatchIsSplit) {
  const at::Tensor images = noise_images(150, 3, 32, 32);
  const std::vector<int64_t> ids = ids_of(150);
  const std::span<const int64_t> all(ids);
  const auto everything = [&](const at::Tensor& part, std::span<const int64_t> part_ids) {
    std::vector<at::Tensor> results;
    for (const char* what : kEach)
      results.push_back(augmented(part, part_ids, Augmentation::parse(what), 5, 9));
    for (const char* set : {"vr", "vr_randaug", "vr_cutout", "vr_autoaug"})
      for (int view = 0; view < kPerturbations; ++view)
        results.push_back(perturb(part, part_ids, parse_perturbation(set), view, 5, 9));
    return at::cat(results, 1);
  };
  set_thread_count(1);
  const at::Tensor expected = everything(images, all);
  const Mixture mixed = cutmix(images, 5, 9);
  for (const int threads : {2, 5}) {
    set_thread_count(threads);
    EXPECT_TRUE(same(everything(images, all), expected)) << threads;
    EXPECT_TRUE(same(cutmix(images, 5, 9).inputs, mixed.inputs)) << threads;
    const at::Tensor halves = at::cat({everything(images.narrow(0, 0, 37), all.first(37)),
                                       everything(images.narrow(0, 37, 113), all.subspan(37))});
    EXPECT_TRUE(same(halves, expected)) << threads;
  }
  set_thread_count(1);
}

TEST(Augment, IsAFunctionOfSeedPositionAndId) {
  const at::Tensor images = noise_images(200, 3, 16, 16);
  const std::vector<int64_t> ids = ids_of(200);
  std::vector<int64_t> others(ids);
  for (int64_t& id : others) id += 5000;
  for (const char* text : kEach) {
    const Augmentation what = Augmentation::parse(text);
    const at::Tensor result = augmented(images, ids, what, 1, 1);
    EXPECT_TRUE(same(result, augmented(images, ids, what, 1, 1)));
    EXPECT_GT(different(result, augmented(images, ids, what, 2, 1)), 60) << text;
    EXPECT_GT(different(result, augmented(images, ids, what, 1, 2)), 60) << text;
    EXPECT_GT(different(result, augmented(images, others, what, 1, 1)), 60) << text;
  }
}

TEST(Augment, KeepsEveryShape) {
  for (const int64_t channels : {1, 3})
    for (const auto& [height, width] : {std::pair{1, 1}, {2, 3}, {8, 8}, {7, 33}, {28, 28}, {224, 224}}) {
      const int64_t count = height > 100 ? 12 : 300;
      const at::Tensor images = noise_images(count, channels, height, width);
      for (const char* what : kEach)
        EXPECT_EQ(augmented(images, ids_of(count), Augmentation::parse(what), 3, 4).sizes(), images.sizes());
      for (const char* set : {"vr", "vr_randaug", "vr_cutout", "vr_autoaug"})
        for (int view = 0; view < kPerturbations; ++view)
          EXPECT_EQ(perturb(images, ids_of(count), parse_perturbation(set), view, 3, 4).sizes(),
                    images.sizes());
      for (uint64_t position = 0; position < 20; ++position)
        EXPECT_EQ(cutmix(images, 3, position).inputs.sizes(), images.sizes());
    }
}

/// The window that `out` is of `in`: every (left, top) that explains it.
std::vector<std::pair<int, int>> windows(const at::Tensor& in, const at::Tensor& out, int64_t n) {
  std::vector<std::pair<int, int>> found;
  const int64_t height = in.size(2), width = in.size(3);
  for (int top = -4; top <= 4; ++top)
    for (int left = -4; left <= 4; ++left) {
      bool fits = true;
      for (int64_t c = 0; fits && c < in.size(1); ++c)
        for (int64_t y = 0; fits && y < height; ++y)
          for (int64_t x = 0; fits && x < width; ++x) {
            const int64_t from_y = y + top, from_x = x + left;
            const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
            fits = pixel(out, n, c, y, x) == (inside ? pixel(in, n, c, from_y, from_x) : 0);
          }
      if (fits) found.emplace_back(left, top);
    }
  return found;
}

TEST(Augment, CropIsAShiftedWindowWithABlackBorder) {
  const at::Tensor images = noise_images(2000, 3, 10, 12);
  const at::Tensor cropped = augmented(images, ids_of(2000), Augmentation::parse("crop"), 1, 1);
  std::set<std::pair<int, int>> places;
  for (int64_t n = 0; n < 2000; ++n) {
    const auto found = windows(images, cropped, n);
    ASSERT_EQ(found.size(), 1U) << n;
    places.insert(found.front());
  }
  EXPECT_EQ(places.size(), 81U);
}

TEST(Augment, FlipMirrorsHalfOfTheImages) {
  const at::Tensor images = noise_images(2000, 3, 6, 7);
  const Augmentation flip = Augmentation::parse("flip");
  const at::Tensor flipped = augmented(images, ids_of(2000), flip, 1, 1);
  EXPECT_NEAR(static_cast<double>(different(images, flipped)), 1000, 80);
  for (int64_t n = 0; n < 2000; ++n)
    if (!same(images.select(0, n), flipped.select(0, n))) {
      EXPECT_TRUE(same(images.select(0, n).flip({2}), flipped.select(0, n)));
    }
  EXPECT_TRUE(same(augmented(flipped, ids_of(2000), flip, 1, 1), images)) << "twice is not at all";
}

TEST(Augment, AppliesCropFlipPoliciesAndCutoutInThisOrder) {
  const at::Tensor images = noise_images(300, 3, 32, 32);
  at::Tensor step = images;
  for (const char* what : {"crop", "flip", "autoaugment", "randaugment", "cutout"})
    step = augmented(step, ids_of(300), Augmentation::parse(what), 7, 3);
  EXPECT_TRUE(same(step, augmented(images, ids_of(300),
                                   Augmentation::parse("cutout,randaugment,autoaugment,flip,crop"), 7, 3)));
}

/// Bounds of the pixels that differ from the input, which must be one box of the cutout's colour.
struct Bounds {
  int64_t left = 1 << 20, top = 1 << 20, right = -1, bottom = -1;
  int64_t width() const { return right - left; }
  int64_t height() const { return bottom - top; }
};
Bounds painted_box(const at::Tensor& in, const at::Tensor& out, int64_t n, std::vector<int> colour) {
  Bounds box;
  for (int64_t y = 0; y < in.size(2); ++y)
    for (int64_t x = 0; x < in.size(3); ++x) {
      bool changed = false;
      for (int64_t c = 0; c < in.size(1); ++c) changed |= pixel(in, n, c, y, x) != pixel(out, n, c, y, x);
      if (!changed) continue;
      for (int64_t c = 0; c < in.size(1); ++c)
        EXPECT_EQ(pixel(out, n, c, y, x), colour[static_cast<size_t>(c)]);
      box.left = std::min(box.left, x), box.right = std::max(box.right, x + 1);
      box.top = std::min(box.top, y), box.bottom = std::max(box.bottom, y + 1);
    }
  return box;
}

TEST(Augment, CutoutPaintsOneClippedSquare) {
  // White images, so that every painted pixel shows.
  const at::Tensor images = at::empty({2000, 3, 32, 32}, at::TensorOptions().dtype(at::kByte)).fill_(255);
  const at::Tensor cut = augmented(images, ids_of(2000), Augmentation::parse("cutout"), 1, 1);
  std::set<std::pair<int64_t, int64_t>> sizes;
  int whole = 0;
  for (int64_t n = 0; n < 2000; ++n) {
    const Bounds box = painted_box(images, cut, n, {125, 122, 113});
    ASSERT_TRUE(box.width() >= 8 && box.width() <= 16 && box.height() >= 8 && box.height() <= 16);
    // Only at the border is a side shorter than 16.
    EXPECT_TRUE(box.width() == 16 || box.left == 0 || box.right == 32);
    EXPECT_TRUE(box.height() == 16 || box.top == 0 || box.bottom == 32);
    whole += box.width() == 16 && box.height() == 16;
    sizes.emplace(box.width(), box.height());
    // The box is full: its pixels are all painted.
    for (int64_t y = box.top; y < box.bottom; ++y)
      for (int64_t x = box.left; x < box.right; ++x) ASSERT_EQ(pixel(cut, n, 0, y, x), 125);
  }
  EXPECT_GT(sizes.size(), 40U);
  EXPECT_NEAR(whole / 2000.0, 17.0 * 17.0 / 1024.0, 0.04);  // centres 8..24 in both directions
}

TEST(Augment, CutoutOnOneChannelPaintsTheLumaOfItsColour) {
  const at::Tensor images = at::empty({20, 1, 28, 28}, at::TensorOptions().dtype(at::kByte)).fill_(255);
  const at::Tensor cut = augmented(images, ids_of(20), Augmentation::parse("cutout"), 1, 1);
  for (int64_t n = 0; n < 20; ++n) EXPECT_GE(painted_box(images, cut, n, {122}).width(), 8);
}

}  // namespace
}  // namespace perennial
