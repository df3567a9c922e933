#pragma once

#include "perennial/data/samples.h"

namespace perennial {

/// Who predicts, and does not change by it.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// What is predicted of samples, which need no targets; on the CPU. A classifier gives probabilities [N,
  /// labels], with zero for labels it has never seen.
  virtual at::Tensor predict(const Samples& samples) const = 0;
};

}  // namespace perennial
