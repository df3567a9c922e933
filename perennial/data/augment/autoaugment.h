#pragma once

#include <array>

#include "perennial/base/random.h"
#include "perennial/data/augment/view.h"

namespace perennial {

/// The operations of AutoAugment; its CIFAR-10 policy has all but the horizontal shear.
enum class AutoOp {
  kAutocontrast,
  kBrightness,
  kColour,
  kContrast,
  kEqualize,
  kInvert,
  kPosterize,
  kRotate,
  kSharpness,
  kShearX,
  kShearY,
  kSolarize,
  kTranslateX,
  kTranslateY
};

/// One step of a sub-policy: `op` at `level` (0..9), with that probability.
struct AutoStep {
  AutoOp op;
  float probability;
  int level;
};

/// The 25 sub-policies of two steps that AutoAugment (Cubuk et al. 2019) found for CIFAR-10. Level l means:
/// shear 0.3 l/9; translation 150/331 l/9 of the side; rotation 30 l/9 degrees; colour, contrast, sharpness
/// and brightness factor 1 +- 0.9 l/9; posterize to 8,8,7,7,6,6,5,5,4,4 bits; solarize from 256 (1 - l/9);
/// the others have none. Signs are drawn evenly, but rotation is always counter-clockwise (as the released
/// code has it).
inline constexpr std::array<std::array<AutoStep, 2>, 25> kAutoAugmentCifar{{
    {{{AutoOp::kInvert, 0.1F, 7}, {AutoOp::kContrast, 0.2F, 6}}},
    {{{AutoOp::kRotate, 0.7F, 2}, {AutoOp::kTranslateX, 0.3F, 9}}},
    {{{AutoOp::kSharpness, 0.8F, 1}, {AutoOp::kSharpness, 0.9F, 3}}},
    {{{AutoOp::kShearY, 0.5F, 8}, {AutoOp::kTranslateY, 0.7F, 9}}},
    {{{AutoOp::kAutocontrast, 0.5F, 8}, {AutoOp::kEqualize, 0.9F, 2}}},
    {{{AutoOp::kShearY, 0.2F, 7}, {AutoOp::kPosterize, 0.3F, 7}}},
    {{{AutoOp::kColour, 0.4F, 3}, {AutoOp::kBrightness, 0.6F, 7}}},
    {{{AutoOp::kSharpness, 0.3F, 9}, {AutoOp::kBrightness, 0.7F, 9}}},
    {{{AutoOp::kEqualize, 0.6F, 5}, {AutoOp::kEqualize, 0.5F, 1}}},
    {{{AutoOp::kContrast, 0.6F, 7}, {AutoOp::kSharpness, 0.6F, 5}}},
    {{{AutoOp::kColour, 0.7F, 7}, {AutoOp::kTranslateX, 0.5F, 8}}},
    {{{AutoOp::kEqualize, 0.3F, 7}, {AutoOp::kAutocontrast, 0.4F, 8}}},
    {{{AutoOp::kTranslateY, 0.4F, 3}, {AutoOp::kSharpness, 0.2F, 6}}},
    {{{AutoOp::kBrightness, 0.9F, 6}, {AutoOp::kColour, 0.2F, 8}}},
    {{{AutoOp::kSolarize, 0.5F, 2}, {AutoOp::kInvert, 0.0F, 3}}},
    {{{AutoOp::kEqualize, 0.2F, 0}, {AutoOp::kAutocontrast, 0.6F, 0}}},
    {{{AutoOp::kEqualize, 0.2F, 8}, {AutoOp::kEqualize, 0.6F, 4}}},
    {{{AutoOp::kColour, 0.9F, 9}, {AutoOp::kEqualize, 0.6F, 6}}},
    {{{AutoOp::kAutocontrast, 0.8F, 4}, {AutoOp::kSolarize, 0.2F, 8}}},
    {{{AutoOp::kBrightness, 0.1F, 3}, {AutoOp::kColour, 0.7F, 0}}},
    {{{AutoOp::kSolarize, 0.4F, 5}, {AutoOp::kAutocontrast, 0.9F, 3}}},
    {{{AutoOp::kTranslateY, 0.9F, 9}, {AutoOp::kTranslateY, 0.7F, 9}}},
    {{{AutoOp::kAutocontrast, 0.9F, 2}, {AutoOp::kSolarize, 0.8F, 3}}},
    {{{AutoOp::kEqualize, 0.8F, 8}, {AutoOp::kInvert, 0.1F, 3}}},
    {{{AutoOp::kTranslateY, 0.7F, 9}, {AutoOp::kAutocontrast, 0.9F, 1}}},
}};

/// One operation at a level; `sign` is 1 or -1. What comes from outside is grey 128; shear is bicubic.
void apply(AutoOp op, int level, int sign, ImageView image);

/// Draws one of the 25 sub-policies and applies it.
void autoaugment(ImageView image, Random random);

}  // namespace perennial
