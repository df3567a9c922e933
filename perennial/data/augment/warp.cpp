#include "perennial/data/augment/warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "perennial/io/image.h"

namespace perennial {
namespace {

constexpr double kOutside = 128;

/// Where output pixels come from: x = ax u + bx v + cx, y = ay u + by v + cy.
struct Source {
  double ax, bx, cx, ay, by, cy;
};

Source source_of(const ImageView& in, const Warp& warp, const ImageView& out) {
  const double angle = warp.degrees * std::numbers::pi / 180;
  const double c = std::cos(angle) / warp.scale, s = std::sin(angle) / warp.scale;
  const double to_x = static_cast<double>(in.width - out.width) / 2,
               to_y = static_cast<double>(in.height - out.height) / 2;
  return {c, -s, warp.x - c * warp.x + s * warp.y + to_x, s, c, warp.y - s * warp.x - c * warp.y + to_y};
}

/// Bilinear value of a channel at (x, y); kOutside beyond its border.
uint8_t sample(const ImageView& in, int channel, double x, double y) {
  const double left = std::floor(x), top = std::floor(y), dx = x - left, dy = y - top;
  const auto column = static_cast<int64_t>(left), row = static_cast<int64_t>(top);
  const uint8_t* plane = in.plane(channel);
  const auto value = [&](int64_t v, int64_t u) {
    const bool inside = u >= 0 && u < in.width && v >= 0 && v < in.height;
    return inside ? static_cast<double>(plane[v * in.width + u]) : kOutside;
  };
  const double above = value(row, column) * (1 - dx) + value(row, column + 1) * dx;
  const double below = value(row + 1, column) * (1 - dx) + value(row + 1, column + 1) * dx;
  return static_cast<uint8_t>(above * (1 - dy) + below * dy + 0.5);
}

uint8_t nearest(const ImageView& mask, double x, double y) {
  const double u = std::floor(x + 0.5), v = std::floor(y + 0.5);
  const bool inside = u >= 0 && v >= 0 && u < mask.width && v < mask.height;
  return inside ? mask.row(0, static_cast<int>(v))[static_cast<int>(u)] : 0;
}

/// body(x, y, u, v): output pixel (u, v) comes from (x, y).
template <class Body>
void for_pixels(const ImageView& in, const Warp& warp, const ImageView& out, const Body& body) {
  const Source from = source_of(in, warp, out);
  for (int v = 0; v < out.height; ++v)
    for (int u = 0; u < out.width; ++u)
      body(from.ax * u + from.bx * v + from.cx, from.ay * u + from.by * v + from.cy, u, v);
}

}  // namespace

void warp_image(ImageView in, const Warp& warp, ImageView out) {
  for_pixels(in, warp, out, [&](double x, double y, int u, int v) {
    for (int c = 0; c < out.channels; ++c) out.row(c, v)[u] = sample(in, c, x, y);
  });
}

void warp_mask(ImageView in, const Warp& warp, ImageView out) {
  for_pixels(in, warp, out, [&](double x, double y, int u, int v) { out.row(0, v)[u] = nearest(in, x, y); });
}

void stretch_image(ImageView in, ImageView out) {
  const Image image{in.channels, in.height, in.width, {in.pixels, in.pixels + in.size()}};
  const Image square = resize_to_square(image, out.width, /*stretch=*/true);
  std::copy(square.pixels.begin(), square.pixels.end(), out.pixels);
}

void stretch_mask(ImageView in, ImageView out) {
  const int64_t side = out.width;
  for (int64_t y = 0; y < side; ++y) {
    const uint8_t* row = in.row(0, static_cast<int>((2 * y + 1) * in.height / (2 * side)));
    uint8_t* to = out.row(0, static_cast<int>(y));
    for (int64_t x = 0; x < side; ++x) to[x] = row[(2 * x + 1) * in.width / (2 * side)];
  }
}

}  // namespace perennial
