#include "perennial/data/augment/blur.h"

#include <algorithm>
#include <span>
#include <vector>

namespace perennial {
namespace {

/// Every plane with `reach` repeated pixels around it; body(padded, stride, plane) then writes the plane.
template <class Body>
void on_padded_planes(ImageView image, int reach, const Body& body) {
  const int stride = image.width + 2 * reach;
  std::vector<uint8_t> padded(static_cast<size_t>(stride) * static_cast<size_t>(image.height + 2 * reach));
  for (int c = 0; c < image.channels; ++c) {
    for (int y = 0; y < image.height + 2 * reach; ++y) {
      const uint8_t* row = image.row(c, std::clamp(y - reach, 0, image.height - 1));
      uint8_t* out = padded.data() + static_cast<ptrdiff_t>(y) * stride;
      std::fill_n(out, reach, row[0]);
      std::copy_n(row, image.width, out + reach);
      std::fill_n(out + reach + image.width, reach, row[image.width - 1]);
    }
    body(padded.data(), stride, image.plane(c));
  }
}

/// Sums of side x side neighbours, weighted by `taps` in both directions.
void weighted_blur(ImageView image, std::span<const int> taps) {
  const int side = static_cast<int>(taps.size());
  int total = 0;
  for (const int tap : taps) total += tap;
  const int whole = std::max(1, total * total);
  std::vector<int> columns(static_cast<size_t>(image.width + side - 1));
  on_padded_planes(image, side / 2, [&](const uint8_t* padded, int stride, uint8_t* out) {
    for (int y = 0; y < image.height; ++y, padded += stride) {
      std::fill(columns.begin(), columns.end(), 0);
      for (int k = 0; k < side; ++k)
        for (int x = 0; x < stride; ++x)
          columns[static_cast<size_t>(x)] += taps[static_cast<size_t>(k)] * padded[k * stride + x];
      for (int x = 0; x < image.width; ++x) {
        const int* column = columns.data() + x;
        int sum = whole / 2;
        for (const int tap : taps) sum += tap * *column++;
        *out++ = static_cast<uint8_t>(sum / whole);
      }
    }
  });
}

}  // namespace

void gaussian_blur(ImageView image, int side) {
  constexpr int kThree[] = {1, 2, 1}, kFive[] = {1, 4, 6, 4, 1};
  if (side == 3) return weighted_blur(image, kThree);
  weighted_blur(image, kFive);
}

void box_blur(ImageView image, int side) {
  weighted_blur(image, std::vector<int>(static_cast<size_t>(side), 1));
}

void median_blur(ImageView image, int side) {
  std::vector<uint8_t> window(static_cast<size_t>(side) * static_cast<size_t>(side));
  const auto middle = window.begin() + static_cast<ptrdiff_t>(window.size() / 2);
  on_padded_planes(image, side / 2, [&](const uint8_t* padded, int stride, uint8_t* out) {
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        for (int k = 0; k < side; ++k)
          std::copy_n(padded + static_cast<ptrdiff_t>(y + k) * stride + x, side, window.begin() + k * side);
        std::nth_element(window.begin(), middle, window.end());
        *out++ = *middle;
      }
  });
}

void add_noise(ImageView image, double deviation, Random& random) {
  for (int i = 0; i < image.size(); ++i) {
    const double value = image.pixels[i] + deviation * random.normal();
    image.pixels[i] = static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
  }
}

}  // namespace perennial
