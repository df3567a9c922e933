#include "perennial/data/augment.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <ATen/ops/empty.h>

#include "perennial/base/text.h"
#include "perennial/base/threads.h"
#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/autoaugment.h"
#include "perennial/data/augment/batch.h"
#include "perennial/data/augment/blur.h"
#include "perennial/data/augment/pictures.h"
#include "perennial/data/augment/pixel_ops.h"
#include "perennial/data/augment/randaugment.h"
#include "perennial/data/augment/random_ops.h"
#include "perennial/data/augment/vectors.h"
#include "perennial/data/augment/warp.h"

namespace perennial {
namespace {

struct Name {
  const char* name;
  bool Augmentation::* flag;
};
constexpr Name kNames[] = {
    {"crop", &Augmentation::crop},
    {"warp", &Augmentation::warp},
    {"flip", &Augmentation::flip},
    {"colour", &Augmentation::colour},
    {"blur", &Augmentation::blur},
    {"noise", &Augmentation::noise},
    {"cutout", &Augmentation::cutout},
    {"autoaugment", &Augmentation::autoaugment},
    {"randaugment", &Augmentation::randaugment},
    {"randaugment_uda", &Augmentation::randaugment_uda},
    {"cutmix", &Augmentation::cutmix},
    {"dropout", &Augmentation::dropout},
    {"strong_dropout", &Augmentation::strong_dropout},
    {"mixup", &Augmentation::mixup},
};

bool Augmentation::* flag_of(std::string_view word) {
  std::vector<std::string> names;
  for (const auto& [name, flag] : kNames) {
    if (word == name) return flag;
    names.emplace_back(name);
  }
  names.emplace_back("none");
  throw std::invalid_argument("unknown augmentation '" + std::string(word) + "'" + suggestion(word, names));
}

constexpr int kCutoutSize = 16;

/// The random numbers of one image, each step's apart from those of the others.
struct Draws {
  const std::string& purpose;
  uint64_t seed, position, id;
  Random of(std::string_view step) const {
    if (purpose.empty()) return {seed, step, position, id};  // no text is put together for each image
    return {seed, purpose + std::string(step), position, id};
  }
};

/// An image and its mask, which may have no pixels.
struct Picture {
  ImageView image, mask;
  bool has_mask() const { return mask.pixels != nullptr; }
};

void copy(ImageView in, ImageView out) { std::memcpy(out.pixels, in.pixels, static_cast<size_t>(in.size())); }

bool same_size(const ImageView& a, const ImageView& b) { return a.height == b.height && a.width == b.width; }

/// low, low + 0.1, ..., high; both in tenths.
float tenths(Random& random, int low, int high) {
  return static_cast<float>(low + static_cast<int>(random.below(static_cast<uint32_t>(high - low + 1)))) / 10;
}

Warp random_warp(const ImageView& in, const ImageView& out, Random random) {
  const double width = out.width, height = out.height;
  const auto quarter_x = static_cast<float>(width / 4), quarter_y = static_cast<float>(height / 4);
  Warp warp;
  warp.degrees = random.uniform(-45, 45);
  warp.scale = random.uniform(0.5F, 1.5F) * ((width / in.width + height / in.height) / 2);
  warp.x = width / 2 + random.uniform(-quarter_x, quarter_x);
  warp.y = height / 2 + random.uniform(-quarter_y, quarter_y);
  return warp;
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

/// From where it is to where it is to be.
void place(const Picture& in, const Picture& out, const Augmentation& what, const Draws& draws) {
  if (what.warp) {
    const Warp warp = random_warp(in.image, out.image, draws.of("warp"));
    warp_image(in.image, warp, out.image);
    if (out.has_mask()) warp_mask(in.mask, warp, out.mask);
  } else if (what.crop) {
    random_crop(in.image, out.image, draws.of("crop"));
    if (out.has_mask()) random_crop(in.mask, out.mask, draws.of("crop"));
  } else if (same_size(in.image, out.image)) {
    copy(in.image, out.image);
    if (out.has_mask()) copy(in.mask, out.mask);
  } else {
    stretch_image(in.image, out.image);
    if (out.has_mask()) stretch_mask(in.mask, out.mask);
  }
}

void augment_one(const Picture& in, const Picture& out, const Augmentation& what, const Draws& draws) {
  place(in, out, what, draws);
  if (what.flip && draws.of("flip").chance(0.5F)) {
    flip_horizontal(out.image);
    if (out.has_mask()) flip_horizontal(out.mask);
  }
  const auto half_the_time = [&](const char* step, const auto& change) {
    Random random = draws.of(step);
    if (random.chance(0.5F)) change(out.image, random);
  };
  if (what.colour) half_the_time("colour", random_colour);
  if (what.blur) half_the_time("blur", random_blur);
  if (what.noise)
    half_the_time("noise",
                  [](ImageView image, Random& random) { add_noise(image, random.uniform(0, 10), random); });
  if (what.autoaugment) autoaugment(out.image, draws.of("autoaugment"));
  if (what.randaugment) randaugment(out.image, draws.of("randaugment"));
  if (what.randaugment_uda) randaugment_uda(out.image, draws.of("randaugment_uda"));
  if (what.cutout) {
    Random random = draws.of("cutout");
    random_cutout(out.image, kCutoutSize, random);
  }
}

void check(const Pictures& pictures, const Augmentation& what) {
  const auto refuse = [](const std::string& why) { throw std::invalid_argument("augmentation: " + why); };
  if (what.side < 0 || what.side > kMaxAugmentSide)
    refuse("a side from 0 to " + std::to_string(kMaxAugmentSide));
  if (what.crop && (what.warp || what.side > 0)) refuse("crop keeps the size: not with warp or a side");
  if (pictures.size() > 0 && what.side == 0 && pictures.shape().height == 0)
    refuse("photographs of any size need a side to come to");
  if (pictures.have_masks() && (what.autoaugment || what.randaugment || what.randaugment_uda || what.cutout))
    refuse("masks move with crop, warp and flip; not with policies or cutout");
}

}  // namespace

Augmentation Augmentation::parse(std::string_view text) {
  Augmentation what;
  if (trim(text) == "none") return what;
  for (const std::string& word : split(text, ',')) what.*flag_of(word) = true;
  if (what.text() == "none") flag_of("");
  return what;
}

std::string Augmentation::text() const {
  std::vector<std::string> set;
  for (const auto& [name, flag] : kNames)
    if (this->*flag) set.emplace_back(name);
  return set.empty() ? "none" : join(set, ",");
}

std::string Augmentation::names() {
  std::vector<std::string> all;
  for (const auto& [name, flag] : kNames) all.emplace_back(name);
  return join(all, ",");
}

Augmentation Augmentation::of_vectors() const {
  Augmentation what{.side = side, .purpose = purpose};
  what.dropout = dropout, what.strong_dropout = strong_dropout, what.mixup = mixup;
  return what;
}

Augmentation Augmentation::of_images() const {
  Augmentation what = *this;
  what.dropout = what.strong_dropout = what.mixup = false;
  return what;
}

Augmentation Augmentation::weak() const {
  Augmentation what{.side = side, .purpose = purpose + "weak "};
  what.crop = crop, what.warp = warp, what.flip = flip, what.dropout = dropout;
  return what;
}

Augmentation Augmentation::unmixed() const {
  Augmentation what = *this;
  what.cutmix = what.mixup = false;
  return what;
}

Augmentation Augmentation::strong() const {
  Augmentation what = unmixed();
  what.purpose += "strong ";
  return what;
}

namespace {

Samples augment_vectors(const Samples& samples, const Augmentation& what, uint64_t seed, uint64_t position) {
  const std::string name = samples.has(column::kFeature) ? column::kFeature : column::kVector;
  at::Tensor rows = samples.tensor(name);
  if (what.dropout) rows = drop_values(rows, samples.ids(), 0.1, seed, what.purpose + "dropout", position);
  if (what.strong_dropout)
    rows = drop_values(rows, samples.ids(), 0.5, seed, what.purpose + "strong dropout", position);
  return samples.with(name, rows);
}

}  // namespace

Samples augment(const Samples& samples, const Augmentation& what, uint64_t seed, uint64_t position) {
  if (samples.has(column::kFeature) || samples.has(column::kVector))
    return augment_vectors(samples, what, seed, position);
  const Pictures from(samples, "augmentation");
  check(from, what);
  if (samples.empty()) return samples;
  const int64_t height = what.side > 0 ? what.side : from.shape().height,
                width = what.side > 0 ? what.side : from.shape().width;
  const auto bytes = at::TensorOptions().dtype(at::kByte);
  const at::Tensor images = at::empty({from.size(), from.shape().channels, height, width}, bytes),
                   masks = from.have_masks() ? at::empty({from.size(), height, width}, bytes) : at::Tensor();
  auto* pixels = images.mutable_data_ptr<uint8_t>();
  auto* mask_pixels = from.have_masks() ? masks.mutable_data_ptr<uint8_t>() : nullptr;
  const int h = static_cast<int>(height), w = static_cast<int>(width);
  const int64_t image_bytes = std::max<int64_t>(1, images.numel() / from.size());
  parallel_for(from.size(), std::max<int64_t>(1, kBytesAtOnce / image_bytes),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const auto id = static_cast<uint64_t>(samples.ids()[static_cast<size_t>(i)]);
                   Picture in{from.image(i), {}}, out{view_of(images, pixels, i), {}};
                   if (from.have_masks())
                     in.mask = from.mask(i), out.mask = {mask_pixels + i * h * w, 1, h, w};
                   augment_one(in, out, what, {what.purpose, seed, position, id});
                 }
               });
  Samples::Columns columns = samples.columns();
  for (const char* gone : {column::kPhotograph, column::kPhotographMask, column::kPhotographSize})
    columns.erase(gone);
  columns.insert_or_assign(column::kImage, images);
  if (from.have_masks()) columns.insert_or_assign(column::kMask, masks);
  return {samples.ids(), std::move(columns)};
}

}  // namespace perennial
