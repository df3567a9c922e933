#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace perennial {

/// One uint8 image in planar order [channels, height, width] that an operation changes in place; channels is
/// 1 or
/// 3. It owns nothing. Sides are at most kMaxAugmentSide.
struct ImageView {
  uint8_t* pixels = nullptr;
  int channels = 0, height = 0, width = 0;

  int plane_size() const { return height * width; }
  int size() const { return channels * plane_size(); }
  uint8_t* plane(int channel) const { return pixels + static_cast<ptrdiff_t>(channel) * plane_size(); }
  uint8_t* row(int channel, int y) const { return plane(channel) + static_cast<ptrdiff_t>(y) * width; }
};

/// The fixed-point coordinates of the affine operations reach this far.
inline constexpr int kMaxAugmentSide = 16384;

/// Red, green and blue; on an image of one channel its luma.
using Colour = std::array<uint8_t, 3>;

/// PIL's grey: (19595 r + 38470 g + 7471 b) / 65536, rounded (ITU-R 601).
constexpr uint8_t luma(int red, int green, int blue) {
  return static_cast<uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

/// What `colour` is in that channel of the image.
inline uint8_t paint(const Colour& colour, const ImageView& image, int channel) {
  return image.channels == 1 ? luma(colour[0], colour[1], colour[2]) : colour[static_cast<size_t>(channel)];
}

inline constexpr Colour kBlack{0, 0, 0};
inline constexpr Colour kGrey{128, 128, 128};
inline constexpr Colour kCutoutColour{125, 122, 113};

/// This thread's working memory, uninitialised, at least `bytes` long until the next call; it only grows.
uint8_t* pixel_scratch(size_t bytes);
/// The same for `count` offsets.
int32_t* index_scratch(size_t count);

}  // namespace perennial
