#include "edge/refine.h"

#include <algorithm>

namespace perennial::edge {
namespace {

float luma_of(const uint8_t* p) {
  return (0.299F * static_cast<float>(p[0]) + 0.587F * static_cast<float>(p[1]) +
          0.114F * static_cast<float>(p[2])) /
         255;
}

const uint8_t* row_of(const Pixels& image, int32_t y) {
  return image.data + static_cast<size_t>(y) * image.row_bytes;
}

size_t index_of(int32_t y, int32_t width, int32_t x = 0) {
  return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x);
}

}  // namespace

// Means over the pixels that fall into each pixel of the matte; at least one.
void Refiner::shrink_luma(const Pixels& photograph) {
  for (int32_t y = 0; y < height_; ++y) {
    const auto first = static_cast<int32_t>(int64_t{y} * photograph.height / height_);
    const auto last =
        std::max(first + 1, static_cast<int32_t>((int64_t{y} + 1) * photograph.height / height_));
    for (int32_t x = 0; x < width_; ++x) {
      const auto left = static_cast<int32_t>(int64_t{x} * photograph.width / width_);
      const auto right =
          std::max(left + 1, static_cast<int32_t>((int64_t{x} + 1) * photograph.width / width_));
      float sum = 0;
      for (int32_t v = first; v < last; ++v)
        for (int32_t u = left; u < right; ++u)
          sum += luma_of(row_of(photograph, v) + static_cast<ptrdiff_t>(u) * photograph.pixel_bytes);
      luma_[index_of(y, width_, x)] = sum / static_cast<float>((last - first) * (right - left));
    }
  }
}

// Means over squares of 2 kRadius + 1, cut at the borders.
void Refiner::box(const std::vector<float>& in, std::vector<float>& out) {
  const auto mean = [](int32_t at, int32_t count, const float* from, size_t step) {
    const int32_t first = std::max(0, at - kRadius), last = std::min(count - 1, at + kRadius);
    float sum = 0;
    for (int32_t i = first; i <= last; ++i) sum += from[static_cast<size_t>(i) * step];
    return sum / static_cast<float>(last - first + 1);
  };
  const auto step = static_cast<size_t>(width_);
  for (int32_t y = 0; y < height_; ++y)
    for (int32_t x = 0; x < width_; ++x)
      rows_[index_of(y, width_, x)] = mean(x, width_, in.data() + index_of(y, width_), 1);
  for (int32_t y = 0; y < height_; ++y)
    for (int32_t x = 0; x < width_; ++x)
      out[index_of(y, width_, x)] = mean(y, height_, rows_.data() + x, step);
}

void Refiner::fit(const float* plane, const Pixels& photograph) {
  const auto n = index_of(height_, width_);
  for (auto* v : {&luma_, &mean_luma_, &mean_alpha_, &product_, &mean_product_, &square_, &mean_square_, &a_,
                  &b_, &rows_})
    resize(*v, n, budget_);
  shrink_luma(photograph);
  for (size_t p = 0; p < n; ++p) {
    product_[p] = luma_[p] * plane[p];
    square_[p] = luma_[p] * luma_[p];
    a_[p] = plane[p];
  }
  box(luma_, mean_luma_);
  box(a_, mean_alpha_);
  box(product_, mean_product_);
  box(square_, mean_square_);
  for (size_t p = 0; p < n; ++p) {
    const float variance = mean_square_[p] - mean_luma_[p] * mean_luma_[p];
    square_[p] = (mean_product_[p] - mean_luma_[p] * mean_alpha_[p]) / (variance + kSmoothness);
    product_[p] = mean_alpha_[p] - square_[p] * mean_luma_[p];
  }
  box(square_, a_);
  box(product_, b_);
}

void Refiner::places(std::vector<Place>& to, int32_t from, int32_t count) {
  resize(to, static_cast<uint64_t>(count), budget_);
  for (int32_t i = 0; i < count; ++i) {
    const float at =
        (static_cast<float>(i) + 0.5F) * static_cast<float>(from) / static_cast<float>(count) - 0.5F;
    const float inside = std::clamp(at, 0.0F, static_cast<float>(from - 1));
    const auto left = static_cast<int32_t>(inside);
    to[static_cast<size_t>(i)] = {left, std::min(left + 1, from - 1), inside - static_cast<float>(left)};
  }
}

void Refiner::refine(const float* plane, int32_t width, int32_t height, const Pixels& photograph,
                     uint8_t* alpha, size_t row_bytes) {
  width_ = width;
  height_ = height;
  fit(plane, photograph);
  places(across_, width, photograph.width);
  places(down_, height, photograph.height);
  resize(row_a_, static_cast<uint64_t>(width), budget_);
  resize(row_b_, static_cast<uint64_t>(width), budget_);
  for (int32_t y = 0; y < photograph.height; ++y) {
    const Place& v = down_[static_cast<size_t>(y)];
    const size_t above = index_of(v.left, width), below = index_of(v.right, width);
    for (size_t x = 0; x < static_cast<size_t>(width); ++x) {
      row_a_[x] = a_[above + x] + v.share * (a_[below + x] - a_[above + x]);
      row_b_[x] = b_[above + x] + v.share * (b_[below + x] - b_[above + x]);
    }
    const uint8_t* pixel = row_of(photograph, y);
    uint8_t* out = alpha + static_cast<size_t>(y) * row_bytes;
    for (const Place& h : across_) {
      const auto left = static_cast<size_t>(h.left), right = static_cast<size_t>(h.right);
      const float slope = row_a_[left] + h.share * (row_a_[right] - row_a_[left]);
      const float offset = row_b_[left] + h.share * (row_b_[right] - row_b_[left]);
      // 0 for what is no number.
      const float value = std::min(std::max(0.0F, slope * luma_of(pixel) + offset), 1.0F);
      *out++ = static_cast<uint8_t>(255 * value + 0.5F);
      pixel += photograph.pixel_bytes;
    }
  }
}

}  // namespace perennial::edge
