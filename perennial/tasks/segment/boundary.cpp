#include "perennial/tasks/segment/boundary.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include "perennial/base/threads.h"

namespace perennial {
namespace {

// A pixel lies in the band when its square (cut at the borders) holds foreground and something else: counted
// from sums over rectangles, whatever the side.
void band_of(const uint8_t* mask, bool* band, int64_t height, int64_t width, int64_t half) {
  const int64_t step = width + 1;
  std::vector<int32_t> sums(static_cast<size_t>((height + 1) * step), 0);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      sums[(y + 1) * step + x + 1] =
          mask[y * width + x] + sums[y * step + x + 1] + sums[(y + 1) * step + x] - sums[y * step + x];
  for (int64_t y = 0; y < height; ++y) {
    const int64_t top = std::max<int64_t>(0, y - half), bottom = std::min(height, y + half + 1);
    for (int64_t x = 0; x < width; ++x) {
      const int64_t left = std::max<int64_t>(0, x - half), right = std::min(width, x + half + 1);
      const int64_t count = sums[bottom * step + right] - sums[top * step + right] -
                            sums[bottom * step + left] + sums[top * step + left];
      band[y * width + x] = count > 0 && count < (bottom - top) * (right - left);
    }
  }
}

}  // namespace

at::Tensor boundary_band(const at::Tensor& mask, int64_t side) {
  if (side < 1 || side % 2 == 0) throw std::invalid_argument("a boundary band needs an odd side");
  if (mask.dim() != 3) throw std::invalid_argument("a boundary band needs masks [N, H, W]");
  const at::Tensor foreground = mask.eq(1).to(at::kByte).contiguous();
  at::Tensor band = at::empty(mask.sizes(), at::TensorOptions().dtype(at::kBool));
  const int64_t height = mask.size(1), width = mask.size(2);
  parallel_for(mask.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      band_of(foreground.const_data_ptr<uint8_t>() + n * height * width,
              band.mutable_data_ptr<bool>() + n * height * width, height, width, side / 2);
  });
  return band;
}

at::Tensor boundary_labels(const at::Tensor& labels, int64_t side) {
  return at::where(boundary_band(labels, side), labels.to(at::kLong), kIgnoredLabel);
}

}  // namespace perennial
