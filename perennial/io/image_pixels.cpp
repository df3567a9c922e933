#include <algorithm>
#include <stdexcept>

#include "perennial/io/image_codecs.h"

namespace perennial {

void over_white(std::vector<uint8_t>& pixels, bool premultiplied) {
  uint8_t* out = pixels.data();
  for (size_t i = 0; i + 4 <= pixels.size(); i += 4) {
    const int alpha = pixels[i + 3], paper = 255 * (255 - alpha);
    for (size_t c = 0; c < 3; ++c) {
      const int colour = premultiplied ? std::min<int>(pixels[i + c], alpha) * 255 : pixels[i + c] * alpha;
      *out++ = static_cast<uint8_t>((colour + paper + 127) / 255);
    }
  }
}

Image upright_planar(const uint8_t* rgb, int64_t height, int64_t width, int orientation) {
  const bool swapped = orientation >= 5;
  Image out{3, swapped ? width : height, swapped ? height : width, {}};
  out.pixels.resize(static_cast<size_t>(3 * height * width));
  // Steps through the stored image for one step down and one to the right in the upright one.
  const bool flip_rows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool flip_columns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const int64_t row_step = (flip_rows ? -1 : 1) * width, column_step = flip_columns ? -1 : 1;
  const int64_t first = (flip_rows ? (height - 1) * width : 0) + (flip_columns ? width - 1 : 0);
  const int64_t down = swapped ? column_step : row_step, right = swapped ? row_step : column_step;
  const int64_t plane = height * width;
  uint8_t* red = out.pixels.data();
  for (int64_t y = 0; y < out.height; ++y) {
    const uint8_t* p = rgb + 3 * (first + y * down);
    for (int64_t x = 0; x < out.width; ++x, p += 3 * right, ++red) {
      red[0] = p[0];
      red[plane] = p[1];
      red[2 * plane] = p[2];
    }
  }
  return out;
}

uint8_t luma(uint8_t r, uint8_t g, uint8_t b) {
  return static_cast<uint8_t>((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
}

Image with_channels(const Image& image, int64_t channels) {
  if (channels != 1 && channels != 3) throw std::invalid_argument("an image has 1 or 3 channels");
  if (image.channels == channels) return image;
  const auto plane = static_cast<size_t>(image.height * image.width);
  Image out{channels, image.height, image.width, std::vector<uint8_t>(static_cast<size_t>(channels) * plane)};
  const uint8_t* in = image.pixels.data();
  if (channels == 3)
    for (size_t c = 0; c < 3; ++c) std::copy_n(in, plane, out.pixels.data() + c * plane);
  else
    for (size_t i = 0; i < plane; ++i) out.pixels[i] = luma(in[i], in[plane + i], in[2 * plane + i]);
  return out;
}

}  // namespace perennial
