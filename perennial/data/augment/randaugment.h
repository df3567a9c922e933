#pragma once

#include "perennial/base/random.h"
#include "perennial/data/augment/view.h"

namespace perennial {

/// The operations of RandAugment, in the order of the pip package `randaugment` 1.0.2.
enum class RandOp {
  kInvert,
  kCutout,
  kSharpness,
  kAutocontrast,
  kPosterize,
  kShearX,
  kTranslateX,
  kTranslateY,
  kShearY,
  kRotate,
  kEqualize,
  kContrast,
  kColour,
  kSolarize,
  kBrightness
};
inline constexpr int kRandOps = 15;
inline constexpr int kRandLevels = 9;  ///< 1..9
inline constexpr float kRandProbability = 0.5F;

/// One operation at a level l of 1..9 as the package has it, which Rainbow Memory's released code calls: the
/// magnitudes of AutoAugment (autoaugment.h; rotation is always counter-clockwise, fill grey 128, shear
/// bicubic), and a cutout of 20 l / 9 pixels, rounded: 2, 4, 7, 9, 11, 13, 16, 18, 20. Signs and the place of
/// the cutout are drawn from `random`.
void apply(RandOp op, int level, ImageView image, Random& random);

/// The same in the style of UDA (Xie et al. 2020): what comes from outside is black; everything is nearest
/// neighbour; magnitudes are reconstructed from the conventions of its code, whose levels run to 10.
///
/// | operation | level l | 1 .. 9 |
/// | --- | --- | --- |
/// | invert, autocontrast, equalize | none | |
/// | cutout | floor(20 l / 10) pixels | 2 .. 18 |
/// | sharpness, contrast, colour, brightness | factor 1.8 l / 10 + 0.1 | 0.28 .. 1.72 |
/// | posterize | 4 - floor(4 l / 10) bits | 4 4 3 3 2 2 2 1 1 |
/// | shear x, y | +- 0.3 l / 10 | 0.03 .. 0.27 |
/// | translate x, y | +- floor(10 l / 10) pixels, for every image size | 1 .. 9 |
/// | rotate | +- floor(30 l / 10) degrees | 3 .. 27 |
/// | solarize | from 256 - floor(256 l / 10) | 231 .. 26 |
///
void apply_uda(RandOp op, int level, ImageView image, Random& random);

/// Draws an ordered pair of the 15 x 9 atoms (with replacement) and applies each with probability one half.
void randaugment(ImageView image, Random random);
void randaugment_uda(ImageView image, Random random);

}  // namespace perennial
