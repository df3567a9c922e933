#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perennial/io/frame.h"

namespace perennial {

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
