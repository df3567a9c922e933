#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "perennial/io/image.h"

namespace perennial {
namespace {

// Fixed point as in Pillow, so that results agree with it to the bit.
constexpr int kPrecision = 22;

/// The weights of one output position over inputs first, first + 1, ...
struct Taps {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

/// Triangle filter of one axis: `length` inputs, of which [begin, end) maps to `size` outputs. The filter
/// widens with the reduction, which is what prevents aliasing.
std::vector<Taps> triangle_taps(int64_t length, double begin, double end, int64_t size) {
  const double scale = (end - begin) / static_cast<double>(size), support = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<size_t>(size));
  std::vector<double> weights;
  for (int64_t i = 0; i < size; ++i) {
    const double centre = begin + (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const auto last = std::min<int64_t>(length, static_cast<int64_t>(centre + support + 0.5));
    weights.clear();
    double sum = 0;
    for (int64_t x = first; x < last; ++x) {
      const double distance = std::abs((static_cast<double>(x) - centre + 0.5) * (1.0 / support));
      weights.push_back(distance < 1 ? 1 - distance : 0);
      sum += weights.back();
    }
    Taps& taps = all[static_cast<size_t>(i)];
    taps.first = first;
    for (const double w : weights)
      taps.weights.push_back(static_cast<int32_t>(0.5 + (sum == 0 ? w : w / sum) * (1 << kPrecision)));
  }
  return all;
}

uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kPrecision, 0, 255)); }

/// Rows [first, last) of a plane of `width`, each filtered to taps.size() columns.
std::vector<uint8_t> filter_columns(const uint8_t* plane, int64_t width, int64_t first, int64_t last,
                                    const std::vector<Taps>& taps) {
  std::vector<uint8_t> out(static_cast<size_t>(last - first) * taps.size());
  uint8_t* to = out.data();
  for (int64_t y = first; y < last; ++y)
    for (const Taps& t : taps) {
      const uint8_t* from = plane + y * width + t.first;
      int32_t sum = 1 << (kPrecision - 1);
      for (size_t k = 0; k < t.weights.size(); ++k) sum += from[k] * t.weights[k];
      *to++ = to_byte(sum);
    }
  return out;
}

/// Filters rows; `plane` starts at row `first` of the image.
void filter_rows(const std::vector<uint8_t>& plane, int64_t first, int64_t width,
                 const std::vector<Taps>& taps, uint8_t* out) {
  std::vector<int32_t> sums(static_cast<size_t>(width));
  for (const Taps& t : taps) {
    std::fill(sums.begin(), sums.end(), 1 << (kPrecision - 1));
    const uint8_t* row = plane.data() + (t.first - first) * width;
    for (const int32_t weight : t.weights) {
      for (int64_t x = 0; x < width; ++x) sums[static_cast<size_t>(x)] += row[x] * weight;
      row += width;
    }
    for (const int32_t sum : sums) *out++ = to_byte(sum);
  }
}

}  // namespace

Image resize_to_square(const Image& image, int64_t size, bool stretch) {
  if (size < 1 || size > (1 << 14))
    throw std::invalid_argument("resize_to_square: a side from 1 to 16384 pixels");
  if (image.height < 1 || image.width < 1) throw std::invalid_argument("resize_to_square: an empty image");
  if (image.height == size && image.width == size) return image;
  const int64_t side = std::min(image.height, image.width);
  const auto axis = [&](int64_t length) {
    const double margin = stretch ? 0 : static_cast<double>(length - side) / 2;
    return triangle_taps(length, margin, static_cast<double>(length) - margin, size);
  };
  const std::vector<Taps> columns = axis(image.width), rows = axis(image.height);
  const int64_t first = rows.front().first;
  const int64_t last = rows.back().first + static_cast<int64_t>(rows.back().weights.size());
  Image out{image.channels, size, size,
            std::vector<uint8_t>(static_cast<size_t>(image.channels * size * size))};
  for (int64_t c = 0; c < image.channels; ++c) {
    const uint8_t* plane = image.pixels.data() + c * image.height * image.width;
    const std::vector<uint8_t> narrowed = filter_columns(plane, image.width, first, last, columns);
    filter_rows(narrowed, first, size, rows, out.pixels.data() + c * size * size);
  }
  return out;
}

}  // namespace perennial
