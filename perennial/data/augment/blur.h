#pragma once

#include "perennial/base/random.h"
#include "perennial/data/augment/view.h"

namespace perennial {

// Smoothing and noise, in place. Borders are repeated.

/// Binomial kernel of `side` 3 (1 2 1) or 5 (1 4 6 4 1), rounded.
void gaussian_blur(ImageView image, int side);
/// Mean of side x side, rounded.
void box_blur(ImageView image, int side);
/// Median of side x side.
void median_blur(ImageView image, int side);

/// Adds N(0, deviation^2) to every value, rounded and cut off.
void add_noise(ImageView image, double deviation, Random& random);

}  // namespace perennial
