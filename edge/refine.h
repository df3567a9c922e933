#pragma once

#include <cstdint>
#include <vector>

#include "edge/image.h"

namespace perennial::edge {

/// Draws the edges of a matte along those of its photograph: the guided filter (He, Sun, Tang, ECCV 2010,
/// equations 5 to 8) in its fast form (He and Sun, arXiv:1505.00996), whose linear model alpha = a * luma + b
/// is fitted at the matte's own size and applied at the photograph's. Keeps its memory while the sizes stay
/// the same.
class Refiner {
 public:
  /// As for Resizer.
  explicit Refiner(Budget* budget = nullptr) : budget_(budget) {}

  static constexpr int32_t kRadius = 4;        ///< of its windows, in pixels of the matte
  static constexpr float kSmoothness = 1e-3F;  ///< epsilon: variances of luma (0..1) below it are no edge

  /// plane: [height][width], 0..1; alpha: 0..255 at the photograph's size, `row_bytes` from row to row.
  void refine(const float* plane, int32_t width, int32_t height, const Pixels& photograph, uint8_t* alpha,
              size_t row_bytes);

 private:
  struct Place {
    int32_t left, right;
    float share;  ///< of the right one
  };
  void fit(const float* plane, const Pixels& photograph);
  void shrink_luma(const Pixels& photograph);
  void box(const std::vector<float>& in, std::vector<float>& out);
  void places(std::vector<Place>& to, int32_t from, int32_t count);

  Budget* budget_;
  int32_t width_ = 0, height_ = 0;
  std::vector<float> luma_, mean_luma_, mean_alpha_, product_, mean_product_, square_, mean_square_, a_, b_;
  std::vector<float> rows_, row_a_, row_b_;
  std::vector<Place> across_, down_;
};

}  // namespace perennial::edge
