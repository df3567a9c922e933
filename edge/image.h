#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edge/budget.h"
#include "edge/format.h"
#include "edge/rounded_image.h"

namespace perennial::edge {

/// Antialiased bilinear resizing (a triangle as wide as a pixel of the smaller side); keeps its tables while
/// the sizes stay the same, so that video allocates nothing.
class Resizer {
 public:
  /// What memory it takes comes out of the budget, if there is one; throws BadModel when that is short.
  explicit Resizer(Budget* budget = nullptr) : budget_(budget), rounded_(budget) {}

  /// Image to planes [3][height][width]: (pixel - mean) / std / divisor of `port`, resized as its flags say.
  void to_planes(const Pixels& image, const PortRecord& port, int32_t width, int32_t height, float* planes);
  /// One plane to bytes: value * 255, rounded.
  void to_bytes(const float* plane, int32_t width, int32_t height, uint8_t* out, int32_t out_width,
                int32_t out_height, size_t row_bytes);

 private:
  struct Taps {
    int32_t from = 0, to = 0;
    std::vector<int32_t> first;  ///< [to]
    std::vector<float> share;    ///< [to][count]
    int32_t count = 0;           ///< taps each
    void make(int32_t from_side, int32_t to_side, Budget* budget);
  };
  Budget* budget_;
  Taps across_, down_, matte_across_, matte_down_;
  std::vector<float> row_;
  RoundedResizer rounded_;
};

}  // namespace perennial::edge
