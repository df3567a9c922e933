#pragma once

#include <span>

#include <ATen/core/Tensor.h>

#include "perennial/query/strategy.h"

// What strategies that look for representative samples have in common. Rows are float [N, D].
namespace perennial {

/// k-means with `count` clusters; of each, the largest first, the row nearest to its centre. The score is the
/// cluster's share of the rows.
Ranked nearest_to_centres(const at::Tensor& rows, int64_t count, Random random);

/// 1 / (mean distance to the `neighbours` nearest others) of each row: [N]. Of a single row 0.
at::Tensor typicality(const at::Tensor& rows, int64_t neighbours);

/// Maximum herding (Bae, Noh, Sutherland, ECCV 2024, algorithm 1): greedily `count` of the rows, each the one
/// that adds most to sum_i w_i max_s k(x_i, s) over what is chosen and `covered`, float [M, D], where
/// k(a, b) = exp(-|a - b|^2 / sigma^2). `weights`: float [N]. The gain only falls as more is chosen, so that
/// few are found out anew at each pick (lazy greedy, Minoux 1978); the picks are those of the plain greedy.
Ranked herd(const at::Tensor& rows, const at::Tensor& covered, const at::Tensor& weights, double sigma,
            int64_t count);

/// int64 [n].
at::Tensor as_index(std::span<const int64_t> places);

}  // namespace perennial
