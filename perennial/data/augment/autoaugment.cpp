#include "perennial/data/augment/autoaugment.h"

#include <cmath>

#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/pixel_ops.h"

namespace perennial {
namespace {

constexpr std::array<int, 10> kPosterizeBits{8, 8, 7, 7, 6, 6, 5, 5, 4, 4};

/// `most` at level 9.
double scaled(double most, int level) { return most * level / 9.0; }

/// The nearest whole shift: what PIL's nearest neighbour makes of a shift by part of a pixel.
int shift(int side, int level, int sign) {
  return static_cast<int>(std::floor(sign * scaled(150.0 / 331.0, level) * side + 0.5));
}

}  // namespace

void apply(AutoOp op, int level, int sign, ImageView image) {
  const auto factor = static_cast<float>(1.0 + sign * scaled(0.9, level));
  switch (op) {
    case AutoOp::kAutocontrast: return autocontrast(image);
    case AutoOp::kBrightness: return brightness(image, factor);
    case AutoOp::kColour: return colour(image, factor);
    case AutoOp::kContrast: return contrast(image, factor);
    case AutoOp::kEqualize: return equalize(image);
    case AutoOp::kInvert: return invert(image);
    case AutoOp::kPosterize: return posterize(image, kPosterizeBits[static_cast<size_t>(level)]);
    case AutoOp::kRotate: return rotate(image, scaled(30.0, level), kGrey);
    case AutoOp::kSharpness: return sharpness(image, factor);
    case AutoOp::kShearX: return shear_x_bicubic(image, sign * scaled(0.3, level), kGrey);
    case AutoOp::kShearY: return shear_y_bicubic(image, sign * scaled(0.3, level), kGrey);
    case AutoOp::kSolarize: return solarize(image, static_cast<int>(std::ceil(256.0 - scaled(256.0, level))));
    case AutoOp::kTranslateX: return translate(image, shift(image.width, level, sign), 0, kGrey);
    case AutoOp::kTranslateY: return translate(image, 0, shift(image.height, level, sign), kGrey);
  }
}

void autoaugment(ImageView image, Random random) {
  const auto& steps = kAutoAugmentCifar[random.below(kAutoAugmentCifar.size())];
  for (const AutoStep& step : steps) {
    const bool chosen = random.chance(step.probability);
    const int sign = random.chance(0.5F) ? 1 : -1;
    if (chosen) apply(step.op, step.level, sign, image);
  }
}

}  // namespace perennial
