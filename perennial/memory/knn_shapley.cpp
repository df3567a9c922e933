#include "perennial/memory/knn_shapley.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/zeros_like.h>

namespace perennial {

at::Tensor knn_shapley(const at::Tensor& evaluation, const at::Tensor& evaluation_labels,
                       const at::Tensor& candidates, const at::Tensor& candidate_labels, int64_t k) {
  const int64_t n = candidates.size(0);
  const at::Tensor nearest = at::cdist(evaluation, candidates).argsort(/*stable=*/true, 1, false);
  const at::Tensor right = candidate_labels.index_select(0, nearest.flatten())
                               .view_as(nearest)
                               .eq(evaluation_labels.unsqueeze(1))
                               .to(at::kDouble);
  const at::Tensor j = at::arange(1, n, at::kDouble);
  const at::Tensor share = j.clamp_max(static_cast<double>(k)) / (j * static_cast<double>(k));
  const at::Tensor steps = at::cat({(right.narrow(1, 0, n - 1) - right.narrow(1, 1, n - 1)) * share,
                                    right.narrow(1, n - 1, 1) / static_cast<double>(n)},
                                   1);
  const at::Tensor values = steps.flip({1}).cumsum(1).flip({1}).to(at::kFloat);
  return at::zeros_like(values).scatter(1, nearest, values);
}

}  // namespace perennial
