#pragma once

#include "perennial/data/augment/view.h"

namespace perennial {

// Operations on the positions of an image, with PIL's convention: the centre of output pixel (x, y) is
// (x + 0.5, y + 0.5), and what comes from outside the image is painted.

/// Where an output point comes from: (a x + b y + c, d x + e y + f), the order of PIL's Image.transform.
struct Affine {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
};

/// Nearest neighbour in 16.16 fixed point: equal to PIL's Image.transform(AFFINE, NEAREST).
void affine_nearest(ImageView image, const Affine& from, const Colour& fill);

/// Turns counter-clockwise about the centre: equal to PIL's Image.rotate(degrees, NEAREST).
void rotate(ImageView image, double degrees, const Colour& fill);

/// Output pixel (x, y) is input pixel (x + dx, y + dy).
void translate(ImageView image, int dx, int dy, const Colour& fill);

/// x' = x + slope y, or y' = y + slope x; nearest neighbour.
void shear_x_nearest(ImageView image, double slope, const Colour& fill);
void shear_y_nearest(ImageView image, double slope, const Colour& fill);

/// The same by cubic interpolation (a = -1, borders repeated, cut off as PIL's BICUBIC).
void shear_x_bicubic(ImageView image, double slope, const Colour& fill);
void shear_y_bicubic(ImageView image, double slope, const Colour& fill);

void flip_horizontal(ImageView image);
void flip_vertical(ImageView image);

/// `out` is the window of `in` at (left, top), either of which may be negative; black outside. Same size;
/// `in` is not changed.
void copy_window(ImageView in, int left, int top, ImageView out);

/// Paints the pixels [left, right) x [top, bottom), clipped to the image.
void fill_box(ImageView image, int left, int top, int right, int bottom, const Colour& colour);

/// Cutout (DeVries and Taylor 2017) around pixel (x, y): the box of half-size `size` / 2, clipped,
/// kCutoutColour.
void cutout_at(ImageView image, int x, int y, int size);

}  // namespace perennial
