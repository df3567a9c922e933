#pragma once

#include <span>
#include <string>

#include <ATen/core/Tensor.h>

namespace perennial {

/// Vectors float [N, D] of which each value is 0 with probability `share` and else scaled up, so that the
/// mean stays (dropout). A function of (seed, purpose, position, id) alone.
at::Tensor drop_values(const at::Tensor& vectors, std::span<const int64_t> ids, double share, uint64_t seed,
                       const std::string& purpose, uint64_t position);

}  // namespace perennial
