#pragma once

#include <vector>

#include "perennial/data/samples.h"
#include "perennial/learn/label_map.h"

namespace perennial {

namespace column {
inline constexpr const char* kWeight = "weight";         ///< float [N]: a factor on the sample's loss
inline constexpr const char* kSoftLabel = "soft_label";  ///< float [N, L]: probabilities of labels 0 .. L - 1
}  // namespace column

/// What the samples of a batch are trained towards: one class each or a distribution, each loss with a weight
/// if wanted; and under CutMix a second sample's besides.
struct Targets {
  at::Tensor rows;               ///< int64 [N]: a row of the head each
  at::Tensor soft;               ///< float [N, classes] in place of `rows`, where defined
  at::Tensor weights;            ///< float [N], where defined; they need not sum to anything
  std::vector<int64_t> partner;  ///< [N], where lambda < 1: whose target counts for 1 - lambda
  double lambda = 1;

  /// Of a batch with labels, or with soft labels in their place, and with weights if it has that column.
  static Targets of(const Samples& batch, const LabelMap& labels);

  /// Cross-entropy of each sample, weight included; logits [N, classes] -> [N].
  at::Tensor losses(const at::Tensor& logits) const;
  /// Their mean: sum_i w_i l_i / N.
  at::Tensor mean_loss(const at::Tensor& logits) const;

 private:
  Targets partners() const;
};

}  // namespace perennial
