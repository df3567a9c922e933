#pragma once

#include <ATen/core/Tensor.h>

namespace perennial {

/// The Shapley value of each candidate for a nearest-neighbour classifier's being right about each evaluation
/// sample (Jia et al., VLDB 2019; Shim et al., AAAI 2021, equation 4): with the N candidates sorted by
/// distance to the sample, s_N = 1[y_N = y] / N and s_j = s_{j+1} + (1[y_j = y] - 1[y_{j+1} = y]) / k *
/// min(k, j) / j. One sort per row; the sum over a row's candidates is 1/k of the right ones among the k
/// nearest. evaluation [E, D], labels int64 [E]; candidates [N, D], labels int64 [N] -> float [E, N].
at::Tensor knn_shapley(const at::Tensor& evaluation, const at::Tensor& evaluation_labels,
                       const at::Tensor& candidates, const at::Tensor& candidate_labels, int64_t k);

}  // namespace perennial
