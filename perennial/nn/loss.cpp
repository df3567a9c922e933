#include "perennial/nn/loss.h"

#include <ATen/ops/cross_entropy_loss.h>

namespace perennial {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels) {
  return at::cross_entropy_loss(logits.to(at::kFloat), labels.to(logits.device()));
}

at::Tensor cross_entropies(const at::Tensor& logits, const at::Tensor& targets) {
  return at::cross_entropy_loss(logits.to(at::kFloat), targets.to(logits.device()), {}, at::Reduction::None);
}

}  // namespace perennial
