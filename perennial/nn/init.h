#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

namespace perennial {

// Initial weights, float32 on the CPU, each a function of (seed, name) and for `uniform` of (position,
// first_row) as well: not of thread count, nor of which other weights a model has.

/// The seed of weights that are copied from elsewhere: nothing is drawn, they are zero.
inline constexpr uint64_t kNotDrawn = ~uint64_t{0};

/// Kaiming-normal for ReLU by fan-out (He et al. 2015): N(0, 2 / fan_out). shape: [out, in/groups, kh, kw].
at::Tensor kaiming_normal(at::IntArrayRef shape, int64_t groups, uint64_t seed, const std::string& name);

/// U(-bound, bound); row r of the result is row `first_row` + r of the whole.
at::Tensor uniform(at::IntArrayRef shape, double bound, uint64_t seed, const std::string& name,
                   uint64_t position = 0, int64_t first_row = 0);

}  // namespace perennial
