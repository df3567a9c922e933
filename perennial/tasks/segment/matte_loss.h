#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace perennial {

// Losses of SINet (Park et al., WACV 2020, section 3.3; released code). labels: [N, H, W], 0 and 1, with
// kIgnoredLabel for pixels that do not count. A batch without any that counts gives 0. Logits are [N, K, H,
// W]; one logit z stands for the two logits 0 and z.

/// 1 / ln(1.10 + share of the class among the labels that count): float32 [classes] (ENet's weighting, Paszke
/// et al. 2016, with 1.10).
at::Tensor class_weights(const at::Tensor& labels, int64_t classes);

/// Cross-entropy, each pixel weighted by its class, divided by the sum of the weights. `weights`: [K], or
/// undefined for equal ones.
at::Tensor weighted_cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                                  const at::Tensor& weights);

/// Lovasz hinge over all pixels of the batch (Berman et al., CVPR 2018): hinge errors 1 - z (2 y - 1) in
/// descending order, times the increments of the Jaccard loss. scores z: [N, H, W].
at::Tensor lovasz_hinge(const at::Tensor& scores, const at::Tensor& labels);

/// z of one or two logits: the logit itself, or foreground minus background. [N, 1 or 2, H, W] -> [N, H, W].
at::Tensor foreground_score(const at::Tensor& logits);

/// Every `factor`-th label of every `factor`-th row, for the encoder's coarse logits.
at::Tensor coarse_labels(const at::Tensor& labels, int64_t factor);

struct MatteLossOptions {
  std::string kind =
      "cross_entropy";           ///< cross_entropy (the paper's) | lovasz (the released configuration's)
  double boundary_weight = 0.5;  ///< of the same loss over the boundary band; 0: without
  int64_t boundary_side = 15;    ///< of the band's square; 5 at an eighth of the size
  at::Tensor class_weights;      ///< for cross_entropy
};

/// L(logits, y) + boundary_weight * L(logits, y inside the boundary band). logits: [N, 1 or 2, H, W]. Throws
/// std::invalid_argument for an unknown kind or shapes that do not fit.
at::Tensor matte_loss(const at::Tensor& logits, const at::Tensor& labels, const MatteLossOptions& options);

}  // namespace perennial
