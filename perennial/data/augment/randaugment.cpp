#include "perennial/data/augment/randaugment.h"

#include <stdexcept>

#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/autoaugment.h"
#include "perennial/data/augment/pixel_ops.h"
#include "perennial/data/augment/random_ops.h"

namespace perennial {
namespace {

int random_sign(Random& random) { return random.chance(0.5F) ? 1 : -1; }

AutoOp auto_op(RandOp op) {
  switch (op) {
    case RandOp::kInvert: return AutoOp::kInvert;
    case RandOp::kSharpness: return AutoOp::kSharpness;
    case RandOp::kAutocontrast: return AutoOp::kAutocontrast;
    case RandOp::kPosterize: return AutoOp::kPosterize;
    case RandOp::kShearX: return AutoOp::kShearX;
    case RandOp::kTranslateX: return AutoOp::kTranslateX;
    case RandOp::kTranslateY: return AutoOp::kTranslateY;
    case RandOp::kShearY: return AutoOp::kShearY;
    case RandOp::kRotate: return AutoOp::kRotate;
    case RandOp::kEqualize: return AutoOp::kEqualize;
    case RandOp::kContrast: return AutoOp::kContrast;
    case RandOp::kColour: return AutoOp::kColour;
    case RandOp::kSolarize: return AutoOp::kSolarize;
    case RandOp::kBrightness: return AutoOp::kBrightness;
    case RandOp::kCutout: break;
  }
  throw std::logic_error("AutoAugment has no cutout");
}

template <class Apply>
void apply_two_atoms(ImageView image, Random& random, const Apply& apply_atom) {
  struct Atom {
    RandOp op;
    int level;
    bool chosen;
  };
  const auto draw = [&random] {
    const auto atom = static_cast<int>(random.below(kRandOps * kRandLevels));
    return Atom{static_cast<RandOp>(atom / kRandLevels), atom % kRandLevels + 1,
                random.chance(kRandProbability)};
  };
  const Atom first = draw(), second = draw();
  for (const Atom& atom : {first, second})
    if (atom.chosen) apply_atom(atom.op, atom.level, image, random);
}

}  // namespace

void apply(RandOp op, int level, ImageView image, Random& random) {
  if (op == RandOp::kCutout) return random_cutout(image, (40 * level + 9) / 18, random);
  apply(auto_op(op), level, random_sign(random), image);
}

void apply_uda(RandOp op, int level, ImageView image, Random& random) {
  const auto factor = static_cast<float>(level * 1.8 / 10 + 0.1);
  const double slope = level * 0.3 / 10;
  switch (op) {
    case RandOp::kInvert: return invert(image);
    case RandOp::kCutout: return random_cutout(image, 2 * level, random);
    case RandOp::kSharpness: return sharpness(image, factor);
    case RandOp::kAutocontrast: return autocontrast(image);
    case RandOp::kPosterize: return posterize(image, 4 - level * 4 / 10);
    case RandOp::kShearX: return shear_x_nearest(image, random_sign(random) * slope, kBlack);
    case RandOp::kTranslateX: return translate(image, random_sign(random) * level, 0, kBlack);
    case RandOp::kTranslateY: return translate(image, 0, random_sign(random) * level, kBlack);
    case RandOp::kShearY: return shear_y_nearest(image, random_sign(random) * slope, kBlack);
    case RandOp::kRotate: return rotate(image, random_sign(random) * 3 * level, kBlack);
    case RandOp::kEqualize: return equalize(image);
    case RandOp::kContrast: return contrast(image, factor);
    case RandOp::kColour: return colour(image, factor);
    case RandOp::kSolarize: return solarize(image, 256 - level * 256 / 10);
    case RandOp::kBrightness: return brightness(image, factor);
  }
}

void randaugment(ImageView image, Random random) {
  apply_two_atoms(image, random, [](auto&&... atom) { apply(atom...); });
}

void randaugment_uda(ImageView image, Random random) {
  apply_two_atoms(image, random, [](auto&&... atom) { apply_uda(atom...); });
}

}  // namespace perennial
