#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edge/budget.h"
#include "edge/format.h"

namespace perennial::edge {

/// Pixels of 8 bits, red green blue (and a byte that is ignored when pixel_bytes is 4).
struct Pixels {
  const uint8_t* data;
  int32_t width, height;
  size_t row_bytes;
  int32_t pixel_bytes;
};

/// Resizing as classifiers are trained with: an antialiased triangle filter, first along rows and then down
/// columns, in fixed point and rounded to 8 bits after either, as Pillow's BILINEAR does, to the bit. Keeps
/// its tables while the sizes stay the same, so that video allocates nothing.
class RoundedResizer {
 public:
  /// What memory it takes comes out of the budget, if there is one; throws BadModel when that is short.
  explicit RoundedResizer(Budget* budget) : budget_(budget) {}

  /// Image to planes [3][height][width]: (pixel - mean) / std / divisor of `port`. kCentre: the largest part
  /// in the middle that has the planes' aspect; else all of it. kGrey: .299 red + .587 green + .114 blue,
  /// rounded, of what was resized.
  void to_planes(const Pixels& image, const PortRecord& port, int32_t width, int32_t height, float* planes);

 private:
  /// Of one axis.
  struct Taps {
    int32_t from = 0, to = 0;
    double length = 0;           ///< of what is kept, in pixels of the image
    int32_t most = 0;            ///< taps of a position, at most
    std::vector<int32_t> first;  ///< [to]
    std::vector<int32_t> count;  ///< [to]
    std::vector<int32_t> share;  ///< [to][most], whole: 1 << 22
    void make(int32_t from_side, double kept, int32_t to_side, Budget* budget);
    const int32_t* shares(size_t i) const { return share.data() + i * static_cast<size_t>(most); }
  };
  void narrow(const Pixels& image, int32_t row, uint8_t* out) const;
  void normalise(const PortRecord& port, size_t plane, float* planes) const;

  Budget* budget_;
  Taps across_, down_;
  std::vector<uint8_t> ring_;  ///< narrowed rows, row y in place y % down_.most
  std::vector<int32_t> sums_;  ///< of one row of the result
  std::vector<uint8_t> row_;   ///< of the result
};

}  // namespace perennial::edge
