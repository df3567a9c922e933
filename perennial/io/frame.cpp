#include "perennial/io/frame.h"

#include <algorithm>

namespace perennial {

Frame frame_of(const Image& image) {
  const Image rgb = with_channels(image, 3);
  Frame frame{rgb.width, rgb.height, std::vector<uint8_t>(rgb.pixels.size())};
  const auto plane = static_cast<size_t>(rgb.width * rgb.height);
  for (size_t p = 0; p < plane; ++p)
    for (size_t c = 0; c < 3; ++c) frame.rgb[3 * p + c] = rgb.pixels[c * plane + p];
  return frame;
}

Image image_of(const Frame& frame) {
  Image image{3, frame.height, frame.width, std::vector<uint8_t>(frame.rgb.size())};
  const auto plane = static_cast<size_t>(frame.width * frame.height);
  for (size_t p = 0; p < plane; ++p)
    for (size_t c = 0; c < 3; ++c) image.pixels[c * plane + p] = frame.rgb[3 * p + c];
  return image;
}

std::vector<uint8_t> cut_out(const Frame& frame, const std::vector<uint8_t>& alpha) {
  std::vector<uint8_t> pixels(4 * alpha.size());
  for (size_t p = 0; p < alpha.size(); ++p) {
    std::copy_n(&frame.rgb[3 * p], 3, &pixels[4 * p]);
    pixels[4 * p + 3] = alpha[p];
  }
  return pixels;
}

}  // namespace perennial
