#include "edge/image.h"

#include <algorithm>
#include <cmath>

namespace perennial::edge {

void Resizer::Taps::make(int32_t from_side, int32_t to_side, Budget* budget) {
  if (from == from_side && to == to_side) return;
  from = to = 0;  // none, until there is memory
  const double scale = static_cast<double>(from_side) / to_side, reach = std::max(1.0, scale);
  count = std::min(from_side, static_cast<int32_t>(std::ceil(reach)) * 2 + 1);
  resize(first, static_cast<uint64_t>(to_side), budget);
  resize(share, static_cast<uint64_t>(to_side) * static_cast<uint64_t>(count), budget);
  from = from_side, to = to_side;
  for (int32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int32_t begin = std::clamp(static_cast<int32_t>(std::floor(centre - reach)), 0, from - count);
    float* own = &share[static_cast<size_t>(i) * static_cast<size_t>(count)];
    double sum = 0;
    for (int32_t k = 0; k < count; ++k)
      sum += std::max(0.0, 1.0 - std::abs(begin + k + 0.5 - centre) / reach);
    for (int32_t k = 0; k < count; ++k)
      own[k] = static_cast<float>(std::max(0.0, 1.0 - std::abs(begin + k + 0.5 - centre) / reach) / sum);
    first[static_cast<size_t>(i)] = begin;
  }
}

namespace {

template <class T>
void add_row(const T* in, float share, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] += share * static_cast<float>(in[i]);
}

// Where the taps of output sample `i` begin, and the k-th of them.
template <class Taps>
size_t tap(int32_t i, const Taps& taps, int32_t k = 0) {
  return static_cast<size_t>(i) * static_cast<size_t>(taps.count) + static_cast<size_t>(k);
}

}  // namespace

void Resizer::to_planes(const Pixels& image, const PortRecord& port, int32_t width, int32_t height,
                        float* planes) {
  if ((port.flags & kRounded) != 0) return rounded_.to_planes(image, port, width, height, planes);
  across_.make(image.width, width, budget_);
  down_.make(image.height, height, budget_);
  const auto step = static_cast<size_t>(image.pixel_bytes);
  const size_t values = static_cast<size_t>(image.width) * step,
               plane = static_cast<size_t>(width) * static_cast<size_t>(height);
  if (row_.size() < values) resize(row_, values, budget_);
  for (int32_t y = 0; y < height; ++y) {
    std::fill_n(row_.begin(), values, 0.0F);
    for (int32_t k = 0; k < down_.count; ++k) {
      const float share = down_.share[tap(y, down_, k)];
      if (share != 0)
        add_row(image.data + static_cast<size_t>(down_.first[static_cast<size_t>(y)] + k) * image.row_bytes,
                share, row_.data(), values);
    }
    for (size_t c = 0; c < 3; ++c) {
      const size_t source = (port.flags & kBlueFirst) != 0 ? 2 - c : c;
      const float scale = 1.0F / (port.std[c] * port.divisor), shift = -port.mean[c] * scale;
      float* to = planes + c * plane + static_cast<size_t>(y) * static_cast<size_t>(width);
      for (int32_t x = 0; x < width; ++x) {
        const float* from =
            row_.data() + static_cast<size_t>(across_.first[static_cast<size_t>(x)]) * step + source;
        const float* share = &across_.share[tap(x, across_)];
        float sum = 0;
        for (int32_t k = 0; k < across_.count; ++k) sum += share[k] * from[static_cast<size_t>(k) * step];
        to[x] = sum * scale + shift;
      }
    }
  }
}

void Resizer::to_bytes(const float* plane, int32_t width, int32_t height, uint8_t* out, int32_t out_width,
                       int32_t out_height, size_t row_bytes) {
  matte_across_.make(width, out_width, budget_);
  matte_down_.make(height, out_height, budget_);
  const auto values = static_cast<size_t>(width);
  if (row_.size() < values) resize(row_, values, budget_);
  for (int32_t y = 0; y < out_height; ++y) {
    std::fill_n(row_.begin(), values, 0.0F);
    for (int32_t k = 0; k < matte_down_.count; ++k)
      add_row(plane + static_cast<size_t>(matte_down_.first[static_cast<size_t>(y)] + k) * values,
              matte_down_.share[tap(y, matte_down_, k)] * 255.0F, row_.data(), values);
    for (int32_t x = 0; x < out_width; ++x) {
      const float* from = row_.data() + matte_across_.first[static_cast<size_t>(x)];
      const float* share = &matte_across_.share[tap(x, matte_across_)];
      float sum = 0.5F;
      for (int32_t k = 0; k < matte_across_.count; ++k) sum += share[k] * from[k];
      out[static_cast<size_t>(y) * row_bytes + static_cast<size_t>(x)] =
          static_cast<uint8_t>(std::min(std::max(0.0F, sum), 255.0F));  // 0 for what is no number
    }
  }
}

}  // namespace perennial::edge
