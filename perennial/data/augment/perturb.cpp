#include <cstring>
#include <stdexcept>

#include "perennial/base/text.h"
#include "perennial/data/augment.h"
#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/autoaugment.h"
#include "perennial/data/augment/batch.h"
#include "perennial/data/augment/pixel_ops.h"
#include "perennial/data/augment/randaugment.h"
#include "perennial/data/augment/random_ops.h"

namespace perennial {
namespace {

/// The twelve perturbations of `vr`, in the released code's order.
void vr(ImageView image, int view, Random& random) {
  switch (view) {
    case 0: return random_cutout(image, 8, random);
    case 1: return random_cutout(image, 16, random);
    case 2: return random_cutout(image, 24, random);
    case 3: return random_cutout(image, 32, random);
    case 4:
      if (random.chance(0.5F)) flip_horizontal(image);
      return;
    case 5:
      if (random.chance(0.5F)) flip_vertical(image);
      return;
    case 6: return rotate(image, random.uniform(-45.0F, 45.0F), kBlack);
    case 7: return rotate(image, random.uniform(-90.0F, 90.0F), kBlack);
    case 8: return invert(image);
    case 9: return solarize(image, 128);
    case 10: return solarize(image, 64);
    case 11: return solarize(image, 32);
    default: return;
  }
}

void perturb_one(ImageView image, Perturbation set, int view, Random& random) {
  switch (set) {
    case Perturbation::kVr: return vr(image, view, random);
    case Perturbation::kVrRandAugment: return randaugment(image, random);
    case Perturbation::kVrCutout: return random_cutout(image, 16, random);
    case Perturbation::kVrAutoAugment: return autoaugment(image, random);
  }
}

}  // namespace

Perturbation parse_perturbation(std::string_view name) {
  if (name == "vr") return Perturbation::kVr;
  if (name == "vr_randaug") return Perturbation::kVrRandAugment;
  if (name == "vr_cutout") return Perturbation::kVrCutout;
  if (name == "vr_autoaug") return Perturbation::kVrAutoAugment;
  throw std::invalid_argument("unknown perturbation set '" + std::string(name) + "'" +
                              suggestion(name, {"vr", "vr_randaug", "vr_cutout", "vr_autoaug"}));
}

at::Tensor perturb(const at::Tensor& images, std::span<const int64_t> ids, Perturbation set, int view,
                   uint64_t seed, uint64_t position) {
  const at::Tensor source = checked_images(images, ids, "perturbation");
  if (view < 0 || view >= kPerturbations)
    throw std::invalid_argument("perturbation view " + std::to_string(view) + " is not in 0..11");
  const uint64_t use = mix64(position, static_cast<uint64_t>(view));
  return map_images(source, [&](int64_t n, ImageView in, ImageView out) {
    std::memcpy(out.pixels, in.pixels, static_cast<size_t>(in.size()));
    Random random(seed, "perturb", use, static_cast<uint64_t>(ids[static_cast<size_t>(n)]));
    perturb_one(out, set, view, random);
  });
}

}  // namespace perennial
