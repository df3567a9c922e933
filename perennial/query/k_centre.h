#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/query/strategy.h"

namespace perennial {

/// Places of `count` rows of `features`, float [N, D], each the farthest (Euclidean) from `centres`, float
/// [M, D], and from those before it; without centres the first is the one nearest to the mean. At most twice
/// as far from everything as the best choice (Gonzalez 1985). O(N D) a pick; equal ones: the first.
Ranked farthest_first(const at::Tensor& features, const at::Tensor& centres, int64_t count);

}  // namespace perennial
