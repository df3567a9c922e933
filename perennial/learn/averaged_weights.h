#pragma once

#include <optional>

#include "perennial/learn/readout.h"

namespace perennial {

/// Predictions by a running average of a network's weights (Polyak averaging; running statistics too): w <- d
/// w + (1 - d) now, where d = min(decay, (1 + t) / (10 + t)) at step t, so that the first steps weigh less.
class AveragedWeights : public Readout {
 public:
  explicit AveragedWeights(double decay) : decay_(decay) {}
  std::string name() const override { return "averaged weights"; }
  at::Tensor logits(const Classifier& network, const NetworkInput& inputs) const override;
  const Classifier* network() const override { return average_ ? &*average_ : nullptr; }
  std::shared_ptr<const Readout> snapshot() const override;

  /// The network has taken a step. Classes that are new enter as they are.
  void follow(const Classifier& network);
  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix, const Classifier& like);

 private:
  double decay_;
  int64_t steps_ = 0;
  std::optional<Classifier> average_;
};

}  // namespace perennial
