#include "perennial/learn/distillation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>

namespace perennial {

void FormerNetwork::save(State& state, const std::string& prefix) const {
  if (net_) net_->save_learned(state.tensors, prefix);
}

void FormerNetwork::load(const State& state, const std::string& prefix, const Classifier& like) {
  net_.reset();
  if (!state.has_tensor(prefix + "head.weight")) return;
  net_ = like.clone();
  net_->load(state.tensors, prefix, state.source);
}

at::Tensor distillation_loss(const at::Tensor& logits, const at::Tensor& former, double temperature) {
  const at::Tensor wanted = at::log_softmax(former.to(logits.device()) / temperature, 1);
  const at::Tensor own = at::log_softmax(logits.narrow(1, 0, former.size(1)) / temperature, 1);
  return (wanted.exp() * (wanted - own)).sum(at::IntArrayRef{1}).mean() * (temperature * temperature);
}

}  // namespace perennial
