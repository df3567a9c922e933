#include "perennial/learn/sgd_ahead.h"

#include <ATen/core/grad_mode.h>

namespace perennial {

SgdAhead::SgdAhead(Classifier& net, double lr) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& parameter : net.parameters()) {
    if (!parameter.value.grad().defined()) continue;
    weights_.push_back(parameter.value);
    before_.push_back(parameter.value.detach().clone());
    weights_.back().sub_(parameter.value.grad(), lr);
  }
}

SgdAhead::~SgdAhead() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < weights_.size(); ++i) weights_[i].copy_(before_[i]);
}

}  // namespace perennial
