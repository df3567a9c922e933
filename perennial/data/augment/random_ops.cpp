#include "perennial/data/augment/random_ops.h"

#include "perennial/data/augment/affine.h"

namespace perennial {

void random_crop(ImageView in, ImageView out, Random random) {
  constexpr int kPadding = 4;
  const int left = static_cast<int>(random.below(2 * kPadding + 1)) - kPadding;
  const int top = static_cast<int>(random.below(2 * kPadding + 1)) - kPadding;
  copy_window(in, left, top, out);
}

void random_cutout(ImageView image, int size, Random& random) {
  const auto x = static_cast<int>(random.below(static_cast<uint32_t>(image.width)));
  const auto y = static_cast<int>(random.below(static_cast<uint32_t>(image.height)));
  cutout_at(image, x, y, size);
}

}  // namespace perennial
