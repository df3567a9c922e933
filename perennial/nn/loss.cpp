#include "perennial/nn/loss.h"

#include <ATen/ops/cross_entropy_loss.h>

namespace perennial {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels) {
  return at::cross_entropy_loss(logits.to(at::kFloat), labels.to(logits.device()));
}

}  // namespace perennial
