#pragma once

#include <ATen/core/Tensor.h>

namespace perennial {

/// Mean cross-entropy; logits [N, C] (any float type, computed in float32), labels int64 [N].
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels);

/// The same of each sample, [N]. targets: labels int64 [N], or distributions float [N, C].
at::Tensor cross_entropies(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace perennial
