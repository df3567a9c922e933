#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

namespace perennial {

/// Rows [n, D] scaled to length 1; those of zeros stay.
at::Tensor unit_rows(const at::Tensor& rows);

/// Squared Euclidean distances of each row of `a`, [n, D], to each of `b`, [m, D]: [n, m], none below 0.
at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b);

/// `use(begin, distances)` for `a` a block of rows at a time, so that n x m numbers are never held.
void each_distances(const at::Tensor& a, const at::Tensor& b,
                    const std::function<void(int64_t begin, const at::Tensor& distances)>& use);

}  // namespace perennial
