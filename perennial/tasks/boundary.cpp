#include "perennial/tasks/boundary.h"

#include <stdexcept>

#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/where.h>

namespace perennial {

at::Tensor boundary_band(const at::Tensor& mask, int64_t side) {
  if (side < 1 || side % 2 == 0) throw std::invalid_argument("a boundary band needs an odd side");
  if (mask.dim() != 3) throw std::invalid_argument("a boundary band needs masks [N, H, W]");
  // A square is a column of rows: two small pools are much less work than one large.
  const auto widest = [side](const at::Tensor& x) {
    const at::Tensor rows = at::max_pool2d(x, {1, side}, {1, 1}, {0, side / 2});
    return at::max_pool2d(rows, {side, 1}, {1, 1}, {side / 2, 0});
  };
  const at::Tensor foreground = mask.eq(1).to(at::kFloat).unsqueeze(1);
  const at::Tensor dilated = widest(foreground), eroded = widest(foreground.neg()).neg();
  return dilated.sub(eroded).gt(0).squeeze(1);
}

at::Tensor boundary_labels(const at::Tensor& labels, int64_t side) {
  return at::where(boundary_band(labels, side), labels.to(at::kLong), kIgnoredLabel);
}

}  // namespace perennial
