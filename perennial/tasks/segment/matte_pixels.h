#pragma once

#include "perennial/base/random.h"
#include "perennial/data/augment/view.h"
#include "perennial/tasks/segment/matte_data.h"

namespace perennial {

// What matte_augment does to one image, in place unless said otherwise. Borders are repeated.

/// Rotation by `degrees` counter-clockwise and scaling about (x, y) of the output, after the photograph's
/// centre was moved to the output's centre.
struct MatteWarp {
  double degrees = 0, scale = 1, x = 0, y = 0;
};

/// Warps a photograph (bilinear, 128 outside) into `image` and its mask (nearest neighbour, 0 outside) into
/// `mask`, one channel of the same size. Places count from the centre of the first pixel.
void warp_matte(const Matte& matte, const MatteWarp& warp, ImageView image, ImageView mask);

/// Binomial kernel of `side` 3 (1 2 1) or 5 (1 4 6 4 1), rounded.
void gaussian_blur(ImageView image, int side);
/// Mean of side x side, rounded.
void box_blur(ImageView image, int side);
/// Median of side x side.
void median_blur(ImageView image, int side);

/// Adds N(0, deviation^2) to every value, rounded and cut off.
void add_noise(ImageView image, double deviation, Random& random);

}  // namespace perennial
