#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace perennial {

/// What is done to each training image, in this order. All work on uint8 [N, C, H, W], C is 1 or 3, in
/// parallel, and are a function of (seed, purpose, position, sample id) alone: equal for every thread count
/// and batch split.
struct Augmentation {
  bool crop = false;         ///< random crop to the same size from 4-pixel zero padding
  bool flip = false;         ///< horizontal flip, p = 0.5
  bool cutout = false;       ///< Cutout 16 (DeVries and Taylor 2017)
  bool autoaugment = false;  ///< AutoAugment, CIFAR-10 policy (Cubuk et al. 2019)
  bool randaugment =
      false;  ///< RandAugment as the pip package of that name (Cubuk et al. 2020; AutoAugment's magnitudes)
  bool randaugment_uda = false;  ///< the same in the style of UDA (Xie et al. 2020)
  bool cutmix = false;  ///< CutMix on batches (Yun et al. 2019), p = 0.5; applied by cutmix(), not augment()

  /// From "crop,flip,cutmix" or "none"; std::invalid_argument names what exists.
  static Augmentation parse(std::string_view text);
  std::string text() const;
};

/// Augments a batch in the order crop, flip, autoaugment, randaugment, randaugment_uda, cutout; returns a new
/// tensor. `position` counts the use (the training step). The tables of the policies are in
/// augment/autoaugment.h and augment/randaugment.h. Throws std::invalid_argument unless images are uint8 [N,
/// 1 or 3, H, W] on the CPU with one id each.
at::Tensor augment(const at::Tensor& images, std::span<const int64_t> ids, const Augmentation& what,
                   uint64_t seed, uint64_t position);

/// A CutMix batch: loss = lambda * CE(y) + (1 - lambda) * CE(y[partner]).
struct CutMix {
  at::Tensor images;             ///< uint8 [N, C, H, W]
  std::vector<int64_t> partner;  ///< [N], a permutation
  double lambda = 1.0;           ///< 1 - box area / image area, after clipping
};

/// With probability 0.5 pastes one box (sides floor(S * sqrt(1 - l)), l ~ U(0,1), centre uniform, clipped)
/// from a random permutation of the batch; otherwise returns the batch as it is with lambda = 1 and everyone
/// their own partner. A function of (seed, position) and the batch's size. Throws std::invalid_argument as
/// augment() does.
CutMix cutmix(const at::Tensor& images, uint64_t seed, uint64_t position);

/// The perturbation sets of Rainbow Memory's uncertainty (Bang et al. 2021, section 4.1; released code).
enum class Perturbation { kVr, kVrRandAugment, kVrCutout, kVrAutoAugment };
Perturbation parse_perturbation(std::string_view name);  ///< vr | vr_randaug | vr_cutout | vr_autoaug
inline constexpr int kPerturbations = 12;

/// Perturbation `view` (0..11) of each image; a new uint8 tensor. kVr has twelve different ones: Cutout 8,
/// 16, 24, 32; horizontal and vertical flip with p = 0.5; rotation within 45 and within 90 degrees (black
/// outside); inversion; solarization from 128, 64, 32. The other sets draw twelve times from RandAugment,
/// Cutout 16 or AutoAugment. Throws std::invalid_argument as augment() does, and for a view out of range.
at::Tensor perturb(const at::Tensor& images, std::span<const int64_t> ids, Perturbation set, int view,
                   uint64_t seed, uint64_t position);

}  // namespace perennial
