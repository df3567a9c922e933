#pragma once

#include <cstdint>
#include <string>
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

/// What is put behind a person.
class Background {
 public:
  /// "blur", "#RRGGBB", "transparent" or an image's path. std::invalid_argument for another text, Error for a
  /// bad image.
  static Background parse(const std::string& text);

  bool transparent() const { return kind_ == Kind::kTransparent; }

  /// frame = frame * alpha + background * (255 - alpha); `alpha` has a byte for each pixel.
  /// Where nothing is put there, the frame stays.
  void compose(Frame& frame, const std::vector<uint8_t>& alpha);

 private:
  enum class Kind { kBlur, kColour, kImage, kTransparent };
  const std::vector<uint8_t>& behind(const Frame& frame);
  Kind kind_ = Kind::kBlur;
  uint8_t colour_[3] = {};
  Frame image_;   ///< as read
  Frame fitted_;  ///< covering the frames seen last, or the blurred frame
};

/// Box blur twice, `radius` pixels to each side, edges repeated: close to a Gaussian and independent of the
/// radius.
void blur(Frame& frame, int64_t radius);

}  // namespace perennial
