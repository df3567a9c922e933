#pragma once

#include <vector>

#include "perennial/nn/classifier.h"

namespace perennial {

/// As long as it lives, the weights of a network are where a plain step at `lr` along the gradients in place
/// would take them; then they are bit for bit what they were.
class SgdAhead {
 public:
  SgdAhead(Classifier& net, double lr);
  SgdAhead(const SgdAhead&) = delete;
  SgdAhead& operator=(const SgdAhead&) = delete;
  ~SgdAhead();

 private:
  std::vector<at::Tensor> weights_, before_;
};

}  // namespace perennial
