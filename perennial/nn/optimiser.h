#pragma once

#include <map>
#include <string>
#include <vector>

#include "perennial/nn/module.h"

namespace perennial {

class OptionTable;

/// How parameters follow their gradients.
struct OptimiserOptions {
  std::string name = "sgd";                       ///< sgd | adam | adamw
  double momentum = 0.9;                          ///< of sgd
  bool nesterov = true;                           ///< of sgd
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  ///< of adam and adamw

  /// Adds the options under `prefix` ("train."): optimiser, momentum, nesterov, beta1, beta2, eps.
  void bind(OptionTable& table, const std::string& prefix);
};

/// Parameters that share a rate and a decay.
struct ParameterGroup {
  std::vector<NamedTensor> parameters;
  double weight_decay = 0;  ///< sgd, adam: added to the gradient (L2); adamw: decoupled
  double rate = 1;          ///< factor on the learning rate
};

/// Stochastic gradient descent with momentum, Adam (Kingma and Ba, ICLR 2015) or AdamW (Loshchilov and
/// Hutter, ICLR 2019) over groups of parameters. What it remembers of a parameter it keeps under the
/// parameter's name.
class Optimiser {
 public:
  /// Throws std::invalid_argument for an unknown name and when two parameters have one name.
  Optimiser(std::vector<ParameterGroup> groups, OptimiserOptions options);
  /// One step from the gradients in place; parameters without a gradient are left alone. Gradients are
  /// dropped.
  void step(double learning_rate);
  /// Follows parameters that have been made anew, as those of a head that has grown: rows that were there
  /// keep what is remembered of them. What is remembered of names that are gone is forgotten.
  void replace(std::vector<ParameterGroup> groups);

  void save(TensorMap& out, const std::string& prefix) const;
  /// Throws Error when something remembered does not fit its parameter. Reads what versions before names
  /// wrote, too: by position.
  void load(const TensorMap& in, const std::string& prefix, const std::string& source);

 private:
  struct Memory {
    at::Tensor first, second, steps;  // sgd: the momentum alone
  };
  bool is_sgd() const { return options_.name == "sgd"; }
  Memory fresh(const at::Tensor& parameter) const;
  void step(const ParameterGroup& group, double learning_rate);

  OptimiserOptions options_;
  std::vector<ParameterGroup> groups_;
  std::map<std::string, Memory> memory_;  // by name, once there has been a step
};

}  // namespace perennial
