#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "perennial/data/samples.h"

namespace perennial {

/// What is done to each training sample, in this order; cutmix and mixup apart, which mix the samples of a
/// batch. dropout, strong_dropout and mixup are for vectors, the others for images: uint8, 1 or 3 channels.
/// All work in parallel and are a function of (seed, purpose, position, sample id) alone: equal for every
/// thread count and batch split.
struct Augmentation {
  bool crop = false;    ///< random crop to the same size from 4-pixel zero padding
  bool warp = false;    ///< rotation within 45 degrees, scale 0.5 to 1.5 times what fits, centre moved by a
                        ///< quarter of the sides; 128 outside (SINet, Park et al. 2020, released code)
  bool flip = false;    ///< horizontal flip, p = 0.5
  bool colour = false;  ///< p = 0.5: saturation, brightness (0.4 to 1.6), contrast (0.6 to 1.4), sharpness
                        ///< (0.8 to 1.2), in steps of 0.1, as PIL's ImageEnhance (SINet)
  bool blur = false;    ///< p = 0.5: Gaussian 30 %, median 30 %, box 40 %, of 3 or 5 pixels (SINet)
  bool noise = false;   ///< p = 0.5: Gaussian with deviation 0 to 10 (SINet)
  bool cutout = false;  ///< Cutout 16 (DeVries and Taylor 2017)
  bool autoaugment = false;  ///< AutoAugment, CIFAR-10 policy (Cubuk et al. 2019)
  bool randaugment =
      false;  ///< RandAugment as the pip package of that name (Cubuk et al. 2020; AutoAugment's magnitudes)
  bool randaugment_uda = false;  ///< the same in the style of UDA (Xie et al. 2020)
  bool cutmix = false;   ///< CutMix on batches (Yun et al. 2019), p = 0.5; applied by cutmix(), not augment()
  bool dropout = false;  ///< a tenth of the values of a vector
  bool strong_dropout = false;  ///< half of them
  bool mixup = false;  ///< mixup on batches (Zhang et al. 2018), p = 0.5; applied by mixup(), not augment()

  int64_t side = 0;          ///< of the squares that come out: warped, or else stretched; 0: as they are
  std::string purpose = {};  ///< of its random numbers: two of one sample at one position differ by it

  /// From "crop,flip,cutmix" or "none"; std::invalid_argument names what exists.
  static Augmentation parse(std::string_view text);
  static std::string names();  ///< that parse() knows, in their order: "crop,warp,..."
  std::string text() const;

  /// What of this there is for vectors, or for images.
  Augmentation of_vectors() const;
  Augmentation of_images() const;
  /// Without what mixes samples.
  Augmentation unmixed() const;
  /// The part that leaves a sample nearly as it is (crop, warp, flip, dropout), and all of it; both without
  /// what mixes samples. With draws of their own.
  Augmentation weak() const;
  Augmentation strong() const;
};

/// The samples with their images (or, where there are none, their vectors) augmented (column image, [N, C, H,
/// W]), in the order crop or warp, flip, colour, blur, noise, autoaugment, randaugment, randaugment_uda,
/// cutout. Masks move along (column mask, [N, H, W], 0 where nothing was); other columns stay. `position`
/// counts the use (the training step). The tables of the policies are in augment/autoaugment.h and
/// augment/randaugment.h. Photographs of any size (column::kPhotograph) need a `side`. Throws
/// std::invalid_argument for images of another form (augment/pictures.h), a side over kMaxAugmentSide, crop
/// together with warp or side, and where there are masks a policy or cutout, which do not move them.
Samples augment(const Samples& samples, const Augmentation& what, uint64_t seed, uint64_t position);

/// A mixed batch: loss = lambda * CE(y) + (1 - lambda) * CE(y[partner]).
struct Mixture {
  at::Tensor inputs;             ///< as they came: uint8 [N, C, H, W] or float [N, D]
  std::vector<int64_t> partner;  ///< [N], a permutation
  double lambda = 1.0;           ///< of images: 1 - box area / image area, after clipping
};

/// With probability 0.5 pastes one box (sides floor(S * sqrt(1 - l)), l ~ U(0,1), centre uniform, clipped)
/// from a random permutation of the batch; otherwise returns the batch as it is with lambda = 1 and everyone
/// their own partner. A function of (seed, position) and the batch's size. Throws std::invalid_argument
/// unless images are uint8 [N, 1 or 3, H, W] on the CPU.
Mixture cutmix(const at::Tensor& images, uint64_t seed, uint64_t position);

/// The same of vectors float [N, D]: with probability 0.5 x = l * x + (1 - l) * x[partner], l ~ U(0, 1).
Mixture mixup(const at::Tensor& vectors, uint64_t seed, uint64_t position);

/// The perturbation sets of Rainbow Memory's uncertainty (Bang et al. 2021, section 4.1; released code).
enum class Perturbation { kVr, kVrRandAugment, kVrCutout, kVrAutoAugment };
Perturbation parse_perturbation(std::string_view name);  ///< vr | vr_randaug | vr_cutout | vr_autoaug
inline constexpr int kPerturbations = 12;

/// Perturbation `view` (0..11) of each image; a new uint8 tensor. kVr has twelve different ones: Cutout 8,
/// 16, 24, 32; horizontal and vertical flip with p = 0.5; rotation within 45 and within 90 degrees (black
/// outside); inversion; solarization from 128, 64, 32. The other sets draw twelve times from RandAugment,
/// Cutout 16 or AutoAugment. Throws std::invalid_argument as cutmix() does, unless there is one id for each
/// image, and for a view out of range.
at::Tensor perturb(const at::Tensor& images, std::span<const int64_t> ids, Perturbation set, int view,
                   uint64_t seed, uint64_t position);

}  // namespace perennial
