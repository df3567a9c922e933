#include "edge/rounded_image.h"

#include <algorithm>
#include <cmath>

namespace perennial::edge {
namespace {

constexpr int kPrecision = 22;
constexpr int32_t kHalf = 1 << (kPrecision - 1);

uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kPrecision, 0, 255)); }

// What is kept of an axis that need not be whole, when the other one is.
double kept(int32_t from, int32_t other_from, int32_t to, int32_t other_to) {
  return std::min<double>(from, static_cast<double>(other_from) * to / other_to);
}

}  // namespace

void RoundedResizer::Taps::make(int32_t from_side, double kept_length, int32_t to_side, Budget* budget) {
  if (from == from_side && to == to_side && length == kept_length) return;
  from = to = 0;  // none, until there is memory
  const double begin = (from_side - kept_length) / 2, end = from_side - begin;
  const double scale = (end - begin) / to_side, support = std::max(scale, 1.0);
  most = std::min(from_side, static_cast<int32_t>(std::ceil(support)) * 2 + 1);
  resize(first, static_cast<uint64_t>(to_side), budget);
  resize(count, static_cast<uint64_t>(to_side), budget);
  resize(share, static_cast<uint64_t>(to_side) * static_cast<uint64_t>(most), budget);
  for (int32_t i = 0; i < to_side; ++i) {
    const double centre = begin + (i + 0.5) * scale;
    const int32_t low = std::max(0, static_cast<int32_t>(centre - support + 0.5)),
                  high = std::min(from_side, static_cast<int32_t>(centre + support + 0.5));
    const auto weight = [&](int32_t x) {
      return std::max(0.0, 1 - std::abs((x - centre + 0.5) * (1.0 / support)));
    };
    double sum = 0;
    for (int32_t x = low; x < high; ++x) sum += weight(x);
    int32_t* own = share.data() + static_cast<size_t>(i) * static_cast<size_t>(most);
    for (int32_t x = low; x < high; ++x)
      *own++ = static_cast<int32_t>(0.5 + (sum == 0 ? weight(x) : weight(x) / sum) * (1 << kPrecision));
    first[static_cast<size_t>(i)] = low, count[static_cast<size_t>(i)] = high - low;
  }
  from = from_side, to = to_side, length = kept_length;
}

// A row of the image, as wide as the result.
void RoundedResizer::narrow(const Pixels& image, int32_t row, uint8_t* out) const {
  const auto step = static_cast<size_t>(image.pixel_bytes);
  const uint8_t* line = image.data + static_cast<size_t>(row) * image.row_bytes;
  for (size_t x = 0; x < static_cast<size_t>(across_.to); ++x) {
    const uint8_t* from = line + static_cast<size_t>(across_.first[x]) * step;
    const int32_t* share = across_.shares(x);
    int32_t sum[3] = {kHalf, kHalf, kHalf};
    for (int32_t k = 0; k < across_.count[x]; ++k, from += step)
      for (size_t c = 0; c < 3; ++c) sum[c] += from[c] * share[k];
    for (const int32_t s : sum) *out++ = to_byte(s);
  }
}

void RoundedResizer::normalise(const PortRecord& port, size_t plane, float* planes) const {
  const bool grey = (port.flags & kGrey) != 0, blue_first = (port.flags & kBlueFirst) != 0;
  const size_t width = row_.size() / 3;
  for (size_t c = 0; c < 3; ++c) {
    const float scale = 1.0F / (port.std[c] * port.divisor), shift = -port.mean[c] * scale;
    const size_t source = blue_first ? 2 - c : c;
    for (size_t x = 0; x < width; ++x) {
      const uint8_t* p = row_.data() + 3 * x;
      const int32_t value = grey ? (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16 : p[source];
      planes[c * plane + x] = static_cast<float>(value) * scale + shift;
    }
  }
}

void RoundedResizer::to_planes(const Pixels& image, const PortRecord& port, int32_t width, int32_t height,
                               float* planes) {
  const bool centre = (port.flags & kCentre) != 0;
  across_.make(image.width, centre ? kept(image.width, image.height, width, height) : image.width, width,
               budget_);
  down_.make(image.height, centre ? kept(image.height, image.width, height, width) : image.height, height,
             budget_);
  const size_t values = 3 * static_cast<size_t>(width),
               plane = static_cast<size_t>(width) * static_cast<size_t>(height);
  resize(ring_, values * static_cast<uint64_t>(down_.most), budget_);
  resize(sums_, values, budget_);
  resize(row_, values, budget_);
  int32_t next = down_.first[0];  // rows before it are narrowed
  for (size_t y = 0; y < static_cast<size_t>(height); ++y) {
    const auto place = [&](int32_t row) {
      return ring_.data() + static_cast<size_t>(row % down_.most) * values;
    };
    const int32_t first = down_.first[y], end = first + down_.count[y];
    for (next = std::max(next, first); next < end; ++next) narrow(image, next, place(next));
    std::fill(sums_.begin(), sums_.end(), kHalf);
    for (int32_t k = 0; k < down_.count[y]; ++k) {
      const int32_t share = down_.shares(y)[k];
      const uint8_t* line = place(first + k);
      for (size_t i = 0; i < values; ++i) sums_[i] += line[i] * share;
    }
    std::transform(sums_.begin(), sums_.end(), row_.begin(), to_byte);
    normalise(port, plane, planes + y * static_cast<size_t>(width));
  }
}

}  // namespace perennial::edge
