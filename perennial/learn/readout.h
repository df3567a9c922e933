#pragma once

#include <memory>
#include <string>

#include "perennial/io/state.h"
#include "perennial/nn/classifier.h"

namespace perennial {

/// How predictions are made of a network, where that is not by its head: nearest means (iCaRL), corrected
/// logits (BiC), averaged weights. Immutable, unless snapshot() says otherwise.
class Readout {
 public:
  virtual ~Readout() = default;
  virtual std::string name() const = 0;
  /// float [N, classes of the network], of which predictions are the softmax; `network` is the trainer's.
  virtual at::Tensor logits(const Classifier& network, const NetworkInput& inputs) const = 0;
  /// Whose weights these predictions are by, if they are those of a network; else null.
  virtual const Classifier* network() const { return nullptr; }
  /// What predicts the same for ever; null: this itself.
  virtual std::shared_ptr<const Readout> snapshot() const { return nullptr; }
};

}  // namespace perennial
