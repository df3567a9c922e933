#pragma once

#include <optional>

#include "perennial/learn/plugin.h"
#include "perennial/learn/routine.h"

namespace perennial {

/// The network as it was at the end of the last task, of whose head the first rows are this one's.
class FormerNetwork {
 public:
  bool there() const { return net_.has_value(); }
  int64_t classes() const { return net_ ? net_->classes() : 0; }
  /// Logits without gradients, float32 on the CPU.
  at::Tensor logits(const NetworkInput& inputs) const { return net_->logits(inputs); }
  void remember(const Classifier& net) { net_ = net.clone(); }
  void save(State& state, const std::string& prefix) const;
  /// `like` is a network of the same kind.
  void load(const State& state, const std::string& prefix, const Classifier& like);

 private:
  std::optional<Classifier> net_;
};

/// T^2 KL(softmax(former / T) || softmax(logits / T)) over the classes of `former`, the mean over rows
/// (Hinton, Vinyals, Dean 2015).
at::Tensor distillation_loss(const at::Tensor& logits, const at::Tensor& former, double temperature);

}  // namespace perennial
