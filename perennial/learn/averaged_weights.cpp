#include "perennial/learn/averaged_weights.h"

#include <algorithm>

namespace perennial {

at::Tensor AveragedWeights::logits(const Classifier& network, const NetworkInput& inputs) const {
  const Classifier& by = average_ && average_->classes() == network.classes() ? *average_ : network;
  return by.logits(inputs);
}

std::shared_ptr<const Readout> AveragedWeights::snapshot() const {
  auto copy = std::make_shared<AveragedWeights>(decay_);
  if (average_) copy->average_ = average_->clone();
  return copy;
}

void AveragedWeights::follow(const Classifier& network) {
  if (!average_) average_ = network.clone();
  average_->grow_like(network);
  const auto t = static_cast<double>(steps_++);
  average_->move_towards(network, 1 - std::min(decay_, (1 + t) / (10 + t)));
}

void AveragedWeights::save(State& state, const std::string& prefix) const {
  state.put(prefix + "steps", steps_);
  if (average_) average_->save_learned(state.tensors, prefix);
}

void AveragedWeights::load(const State& state, const std::string& prefix, const Classifier& like) {
  steps_ = state.value<int64_t>(prefix + "steps");
  average_.reset();
  if (!state.has_tensor(prefix + "head.weight")) return;
  average_ = like.clone();
  average_->load(state.tensors, prefix, state.source);
}

}  // namespace perennial
