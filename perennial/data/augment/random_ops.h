#pragma once

#include "perennial/base/random.h"
#include "perennial/data/augment/view.h"

namespace perennial {

// Operations that draw their own place.

/// `out` is a window of the same size from `in` with 4 pixels of black around it, at one of 9 x 9 places.
void random_crop(ImageView in, ImageView out, Random random);

/// Cutout of that size, its centre uniform over the image.
void random_cutout(ImageView image, int size, Random& random);

}  // namespace perennial
