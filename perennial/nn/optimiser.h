#pragma once

#include <string>
#include <vector>

#include "perennial/io/safetensors.h"

namespace perennial {

struct SgdOptions {
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool nesterov = true;
};

/// Stochastic gradient descent with momentum over a list of parameters (at::_fused_sgd_).
class Sgd {
 public:
  Sgd(std::vector<at::Tensor> parameters, const SgdOptions& options);
  /// One step from the gradients in place; parameters without a gradient are left alone. Gradients are
  /// dropped.
  void step(double learning_rate);
  /// Follows a head that has grown: rows that existed keep their momentum.
  void replace(std::vector<at::Tensor> parameters);
  void save(TensorMap& out, const std::string& prefix) const;
  void load(const TensorMap& in, const std::string& prefix, const std::string& source);

 private:
  SgdOptions options_;
  std::vector<at::Tensor> parameters_, momenta_;  // an undefined momentum: no step yet
};

}  // namespace perennial
