#include "perennial/data/augment/affine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace perennial {
namespace {

int fixed(double v) { return static_cast<int>(std::floor(v * 65536.0 + 0.5)); }

/// Row in[0..width) -> out[x] = in[x + shift]; the rows may be the same.
void shift_row(const uint8_t* in, uint8_t* out, int width, int shift, uint8_t fill) {
  const int begin = std::clamp(-shift, 0, width), end = std::clamp(width - shift, begin, width);
  if (end > begin) std::memmove(out + begin, in + begin + shift, static_cast<size_t>(end - begin));
  std::memset(out, fill, static_cast<size_t>(begin));
  std::memset(out + end, fill, static_cast<size_t>(width - end));
}

/// Offset into the plane of each pixel of row y, -1 outside.
void source_offsets(int width, int height, int xx, int yy, int step_x, int step_y, int32_t* offsets) {
  for (int x = 0; x < width; ++x) {
    const int from_x = (xx + x * step_x) >> 16, from_y = (yy + x * step_y) >> 16;
    const bool inside = static_cast<unsigned>(from_x) < static_cast<unsigned>(width) &&
                        static_cast<unsigned>(from_y) < static_cast<unsigned>(height);
    offsets[x] = inside ? from_y * width + from_x : -1;
  }
}

/// Cubic convolution with a = -1 through four neighbours, in PIL's order of operations.
double cubic(double v1, double v2, double v3, double v4, double d) {
  const double p2 = -v1 + v3;
  const double p3 = 2 * (v1 - v2) + v3 - v4;
  const double p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}

/// A line of `length` values `stride` apart, read shifted by a part of a pixel. Every value's place is
/// computed as PIL does it, for equal rounding.
void shift_line_cubic(const uint8_t* in, uint8_t* out, int length, ptrdiff_t stride, double shift,
                      uint8_t fill) {
  for (int i = 0; i < length; ++i) {
    const double place = (i + 0.5) + shift;
    if (place < 0.0 || place >= length) {
      out[i * stride] = fill;
      continue;
    }
    const int left = static_cast<int>(std::floor(place - 0.5));
    const auto value = [&](int at) { return in[std::clamp(at, 0, length - 1) * stride]; };
    const double mixed =
        cubic(value(left - 1), value(left), value(left + 1), value(left + 2), place - 0.5 - left);
    out[i * stride] = static_cast<uint8_t>(std::clamp(mixed, 0.0, 255.0));
  }
}

uint8_t* copied(ImageView image) {
  uint8_t* copy = pixel_scratch(static_cast<size_t>(image.size()));
  std::memcpy(copy, image.pixels, static_cast<size_t>(image.size()));
  return copy;
}

}  // namespace

void affine_nearest(ImageView image, const Affine& from, const Colour& fill) {
  const int size = image.plane_size();
  // Each plane is copied behind one painted value, which offset -1 then reads.
  uint8_t* copy = pixel_scratch(static_cast<size_t>(image.channels) * static_cast<size_t>(size + 1));
  for (int c = 0; c < image.channels; ++c) {
    uint8_t* plane = copy + static_cast<ptrdiff_t>(c) * (size + 1);
    plane[0] = paint(fill, image, c);
    std::memcpy(plane + 1, image.plane(c), static_cast<size_t>(size));
  }
  int32_t* offsets = index_scratch(static_cast<size_t>(image.width));
  const int step_x = fixed(from.a), step_y = fixed(from.d), line_x = fixed(from.b), line_y = fixed(from.e);
  const int xx = fixed(from.c + from.a * 0.5 + from.b * 0.5),
            yy = fixed(from.f + from.d * 0.5 + from.e * 0.5);
  for (int y = 0; y < image.height; ++y) {
    source_offsets(image.width, image.height, xx + y * line_x, yy + y * line_y, step_x, step_y, offsets);
    for (int c = 0; c < image.channels; ++c) {
      const uint8_t* plane = copy + static_cast<ptrdiff_t>(c) * (size + 1) + 1;
      uint8_t* out = image.row(c, y);
      for (int x = 0; x < image.width; ++x) out[x] = plane[offsets[x]];
    }
  }
}

void rotate(ImageView image, double degrees, const Colour& fill) {
  const double angle = -degrees * (std::numbers::pi / 180.0);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double x = image.width / 2.0, y = image.height / 2.0;
  affine_nearest(image, {cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y},
                 fill);
}

void translate(ImageView image, int dx, int dy, const Colour& fill) {
  const int height = image.height;
  for (int c = 0; c < image.channels; ++c) {
    const uint8_t value = paint(fill, image, c);
    // A row is read before it is written: upwards or downwards by the sign of dy.
    for (int i = 0; i < height; ++i) {
      const int y = dy >= 0 ? i : height - 1 - i;
      if (y + dy >= 0 && y + dy < height)
        shift_row(image.row(c, y + dy), image.row(c, y), image.width, dx, value);
      else
        std::memset(image.row(c, y), value, static_cast<size_t>(image.width));
    }
  }
}

void shear_x_nearest(ImageView image, double slope, const Colour& fill) {
  const int line = fixed(slope), first = fixed(0.5 + slope * 0.5);
  for (int c = 0; c < image.channels; ++c)
    for (int y = 0; y < image.height; ++y)
      shift_row(image.row(c, y), image.row(c, y), image.width, (first + y * line) >> 16,
                paint(fill, image, c));
}

void shear_y_nearest(ImageView image, double slope, const Colour& fill) {
  affine_nearest(image, {.d = slope}, fill);
}

void shear_x_bicubic(ImageView image, double slope, const Colour& fill) {
  const uint8_t* copy = copied(image);
  for (int c = 0; c < image.channels; ++c)
    for (int y = 0; y < image.height; ++y)
      shift_line_cubic(copy + (image.row(c, y) - image.pixels), image.row(c, y), image.width, 1,
                       slope * (y + 0.5), paint(fill, image, c));
}

void shear_y_bicubic(ImageView image, double slope, const Colour& fill) {
  const uint8_t* copy = copied(image);
  for (int c = 0; c < image.channels; ++c)
    for (int x = 0; x < image.width; ++x)
      shift_line_cubic(copy + (image.plane(c) + x - image.pixels), image.plane(c) + x, image.height,
                       image.width, slope * (x + 0.5), paint(fill, image, c));
}

void flip_horizontal(ImageView image) {
  for (int line = 0; line < image.channels * image.height; ++line) {
    uint8_t* row = image.pixels + static_cast<ptrdiff_t>(line) * image.width;
    std::reverse(row, row + image.width);
  }
}

void flip_vertical(ImageView image) {
  for (int c = 0; c < image.channels; ++c)
    for (int y = 0; y < image.height / 2; ++y)
      std::swap_ranges(image.row(c, y), image.row(c, y) + image.width, image.row(c, image.height - 1 - y));
}

void copy_window(ImageView in, int left, int top, ImageView out) {
  for (int c = 0; c < in.channels; ++c)
    for (int y = 0; y < in.height; ++y) {
      if (y + top >= 0 && y + top < in.height)
        shift_row(in.row(c, y + top), out.row(c, y), in.width, left, 0);
      else
        std::memset(out.row(c, y), 0, static_cast<size_t>(in.width));
    }
}

void fill_box(ImageView image, int left, int top, int right, int bottom, const Colour& colour) {
  left = std::max(left, 0), right = std::min(right, image.width);
  top = std::max(top, 0), bottom = std::min(bottom, image.height);
  if (left >= right) return;
  for (int c = 0; c < image.channels; ++c)
    for (int y = top; y < bottom; ++y)
      std::memset(image.row(c, y) + left, paint(colour, image, c), static_cast<size_t>(right - left));
}

void cutout_at(ImageView image, int x, int y, int size) {
  const int half = size / 2;
  fill_box(image, x - half, y - half, x + half, y + half, kCutoutColour);
}

}  // namespace perennial
