#pragma once

#include "perennial/data/augment/view.h"

namespace perennial {

// Operations on the values of an image; each gives what PIL's ImageOps or ImageEnhance gives, bit for bit.

/// 255 - v.
void invert(ImageView image);

/// Inverts the values that are `threshold` or more; 256 changes nothing.
void solarize(ImageView image, int threshold);

/// Keeps the highest `bits` (0..8) of each value.
void posterize(ImageView image, int bits);

/// Stretches each channel so that its least value becomes 0 and its greatest 255; a flat channel stays.
void autocontrast(ImageView image);

/// Makes each channel's histogram as even as a map of values can.
void equalize(ImageView image);

/// Blends from black: 0 is black, 1 changes nothing.
void brightness(ImageView image, float factor);

/// Blends from a flat image of the mean luma.
void contrast(ImageView image, float factor);

/// Blends from the grey image; an image of one channel stays.
void colour(ImageView image, float factor);

/// Blends from a smoothed image (3 x 3, centre 5, all others 1); the outermost pixels stay.
void sharpness(ImageView image, float factor);

}  // namespace perennial
