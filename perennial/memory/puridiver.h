#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/memory/policy.h"

namespace perennial {

/// Who goes next of one class, as PuriDivER scores it (Bang et al., CVPR 2022; the standardisation as
/// released): within the class (1 - alpha) z(loss) + alpha z(d), where d_i is the mean cosine of sample i to
/// its classmates, itself included, over the feature dimensions that matter to the class: those whose weight
/// in the head is above the mean over the classes. A sample's sum of cosines is its product with the sum of
/// the class's unit vectors, so that n x n cosines are never made; the sums are kept up, and a removal costs
/// O(n D) of a class of n with D dimensions that matter.
class PurityDiversity {
 public:
  /// features float [n, D] and losses float [n] of the samples of the class; `relevant`: bool [D].
  PurityDiversity(const at::Tensor& features, const at::Tensor& losses, const at::Tensor& relevant);
  /// Removes the one of those left with the highest score, of equals the first; gives its place among them.
  int64_t remove_worst(double alpha);

  /// Of the weight of the head [classes, D], for the class in `row`.
  static at::Tensor relevant_dimensions(const at::Tensor& head_weight, int64_t row);

 private:
  std::vector<size_t> left_;
  at::Tensor units_;                   ///< float [n, D], of length 1
  std::vector<double> losses_, sums_;  ///< [n]: each loss; each sum of cosines to those left
  double loss_sum_ = 0, loss_squares_ = 0;
};

/// PuriDivER's memory: what arrives enters, and who is then too many goes from the largest class (of equals a
/// random one). alpha = balance * min(1, 1 / l), l being the loss of the step just taken: the worse the
/// network fits, the more the loss decides. Without `purity` alpha is 1. With refresh > 1 the memory's
/// features and losses are found out at every refresh-th batch only, which is approximate.
class PuridiverPolicy : public Policy {
 public:
  PuridiverPolicy(uint64_t seed, double balance, bool purity, int64_t refresh)
      : seed_(seed), balance_(balance), purity_(purity), refresh_(refresh) {}
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

 private:
  struct Known {
    at::Tensor features, losses;  ///< float [N, D], [N]
  };
  /// `all`: of the memory and the batch.
  Known look_at(const Memory& memory, const Samples& batch, Evidence& all, const AskEvidence& ask);
  std::vector<char> choose(const Known& known, Evidence& evidence, int64_t capacity) const;

  uint64_t seed_;
  double balance_;
  bool purity_;
  int64_t refresh_, offers_ = 0;
  Known kept_;  ///< with refresh > 1: of the memory's rows, when they were last looked at
};

}  // namespace perennial
