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

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
};

/// Parameters that share a weight decay.
struct ParameterGroup {
  std::vector<at::Tensor> parameters;
  double weight_decay = 0;  ///< added to the gradient (L2), not decoupled
};

/// Adam (Kingma and Ba, ICLR 2015) over groups of parameters (at::_fused_adam_).
class Adam {
 public:
  Adam(std::vector<ParameterGroup> groups, const AdamOptions& options);
  /// One step from the gradients in place; parameters without a gradient are left alone. Gradients are
  /// dropped.
  void step(double learning_rate);
  void save(TensorMap& out, const std::string& prefix) const;
  /// Throws Error when a moment does not fit its parameter.
  void load(const TensorMap& in, const std::string& prefix, const std::string& source);

 private:
  struct Moments {
    at::Tensor first, second, steps;  // undefined: no step yet
  };
  AdamOptions options_;
  std::vector<ParameterGroup> groups_;
  std::vector<std::vector<Moments>> moments_;
};

}  // namespace perennial
