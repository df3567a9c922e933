#include "perennial/tasks/segment/matte_augment.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ops/empty.h>

#include "perennial/base/threads.h"
#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/pixel_ops.h"
#include "perennial/tasks/segment/matte_pixels.h"

namespace perennial {
namespace {

/// low, low + 0.1, ..., high; both in tenths.
float tenths(Random& random, int low, int high) {
  return static_cast<float>(low + static_cast<int>(random.below(static_cast<uint32_t>(high - low + 1)))) / 10;
}

MatteWarp random_warp(const Matte& matte, int64_t side, Random& random) {
  const double s = static_cast<double>(side);
  const double fitting =
      (s / static_cast<double>(matte.image.width) + s / static_cast<double>(matte.image.height)) / 2;
  const auto quarter = static_cast<float>(s / 4);
  MatteWarp warp;
  warp.degrees = random.uniform(-45, 45);
  warp.scale = random.uniform(0.5F, 1.5F) * fitting;
  warp.x = s / 2 + random.uniform(-quarter, quarter);
  warp.y = s / 2 + random.uniform(-quarter, quarter);
  return warp;
}

void stretch(const std::vector<Matte>& mattes, size_t row, ImageView image, ImageView mask) {
  const MatteBatch one = matte_batch(mattes, row, row + 1, image.width);
  std::copy_n(one.images.const_data_ptr<uint8_t>(), image.size(), image.pixels);
  std::copy_n(one.masks.const_data_ptr<uint8_t>(), mask.size(), mask.pixels);
}

void random_colour(ImageView image, Random& random) {
  colour(image, tenths(random, 4, 16));
  brightness(image, tenths(random, 4, 16));
  contrast(image, tenths(random, 6, 14));
  sharpness(image, tenths(random, 8, 12));
}

void random_blur(ImageView image, Random& random) {
  const float kind = random.uniform();
  const int side = random.chance(0.5F) ? 3 : 5;
  if (kind < 0.3F) return gaussian_blur(image, side);
  if (kind < 0.6F) return median_blur(image, side);
  box_blur(image, side);
}

/// The draws of one step, apart from those of the others.
struct Draws {
  uint64_t seed, position, id;
  Random of(const char* step) const { return {seed, step, position, id}; }
};

// Steps 1 to 5 of the released code's order.
void augment_one(const std::vector<Matte>& mattes, size_t row, const MatteAugmentation& what,
                 const Draws& draws, ImageView image, ImageView mask) {
  Random warp = draws.of("matte warp"), flip = draws.of("matte flip"), tint = draws.of("matte colour"),
         blur = draws.of("matte blur"), noise = draws.of("matte noise");
  if (what.warp)
    warp_matte(mattes[row], random_warp(mattes[row], image.width, warp), image, mask);
  else
    stretch(mattes, row, image, mask);
  if (what.flip && flip.chance(0.5F)) flip_horizontal(image), flip_horizontal(mask);
  if (what.colour && tint.chance(0.5F)) random_colour(image, tint);
  if (what.blur && blur.chance(0.5F)) random_blur(image, blur);
  if (what.noise && noise.chance(0.5F)) add_noise(image, noise.uniform(0, 10), noise);
}

void check(const std::vector<Matte>& mattes, std::span<const int64_t> rows, int64_t side) {
  if (side < 1 || side > kMaxAugmentSide)
    throw std::invalid_argument("augment_mattes: a side from 1 to 16384");
  for (const int64_t row : rows)
    if (row < 0 || row >= static_cast<int64_t>(mattes.size()))
      throw std::invalid_argument("augment_mattes: row " + std::to_string(row) + " of " +
                                  std::to_string(mattes.size()));
}

}  // namespace

MatteBatch augment_mattes(const std::vector<Matte>& mattes, std::span<const int64_t> rows, int64_t side,
                          const MatteAugmentation& what, uint64_t seed, uint64_t position) {
  check(mattes, rows, side);
  const auto n = static_cast<int64_t>(rows.size());
  const auto bytes = at::TensorOptions().dtype(at::kByte);
  const MatteBatch batch{at::empty({n, 3, side, side}, bytes), at::empty({n, side, side}, bytes)};
  auto* images = batch.images.mutable_data_ptr<uint8_t>();
  auto* masks = batch.masks.mutable_data_ptr<uint8_t>();
  const int s = static_cast<int>(side);
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<size_t>(rows[static_cast<size_t>(i)]);
      const Draws draws{seed, position, static_cast<uint64_t>(mattes[row].id)};
      augment_one(mattes, row, what, draws, {images + i * 3 * side * side, 3, s, s},
                  {masks + i * side * side, 1, s, s});
    }
  });
  return batch;
}

}  // namespace perennial
