#pragma once

#include <ATen/core/Tensor.h>

namespace perennial {

/// Mean cross-entropy; logits [N, C] (any float type, computed in float32), labels int64 [N].
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels);

}  // namespace perennial
