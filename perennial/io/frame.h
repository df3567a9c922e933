#pragma once

#include <cstdint>
#include <vector>

#include "perennial/io/image.h"

namespace perennial {

/// Pixels of 8 bits, red green blue, without gaps: as video has them.
struct Frame {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

/// Planes to pixels (grey becomes three equal colours) and back.
Frame frame_of(const Image& image);
Image image_of(const Frame& frame);

/// The frame cut out: red, green, blue as they are (not multiplied by it) and `alpha`, pixel by pixel.
std::vector<uint8_t> cut_out(const Frame& frame, const std::vector<uint8_t>& alpha);

}  // namespace perennial
