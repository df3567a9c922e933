#pragma once

#include "perennial/data/augment/view.h"

namespace perennial {

// From an image of any size into one of another.

/// Rotation by `degrees` counter-clockwise and scaling about (x, y) of the output, after the image's centre
/// was moved to the output's centre. Places count from the centre of the first pixel.
struct Warp {
  double degrees = 0, scale = 1, x = 0, y = 0;
};

/// Bilinear, 128 outside; as many channels in `out` as in `in`.
void warp_image(ImageView in, const Warp& warp, ImageView out);
/// Nearest neighbour, 0 outside; one channel each.
void warp_mask(ImageView in, const Warp& warp, ImageView out);

/// Stretched by an antialiasing triangle filter (resize_to_square()); `out` is a square.
void stretch_image(ImageView in, ImageView out);
/// Nearest neighbour: the input pixel that the centre of an output pixel lies in.
void stretch_mask(ImageView in, ImageView out);

}  // namespace perennial
