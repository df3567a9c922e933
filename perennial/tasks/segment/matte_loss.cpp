#include "perennial/tasks/segment/matte_loss.h"

#include <stdexcept>

#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/nll_loss2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros_like.h>

#include "perennial/tasks/segment/boundary.h"

namespace perennial {
namespace {

at::Tensor two_logits(const at::Tensor& logits) {
  return logits.size(1) == 1 ? at::cat({at::zeros_like(logits), logits}, 1) : logits;
}

/// d Jaccard / d error, for errors in descending order (Berman et al., algorithm 1).
at::Tensor jaccard_increments(const at::Tensor& sorted_truth) {
  const at::Tensor total = sorted_truth.sum();
  const at::Tensor intersection = total.sub(sorted_truth.cumsum(0));
  const at::Tensor all = total.add(sorted_truth.neg().add(1).cumsum(0));
  at::Tensor jaccard = intersection.div(all).neg().add(1);
  const int64_t n = jaccard.size(0);
  return at::cat({jaccard.narrow(0, 0, 1), jaccard.narrow(0, 1, n - 1).sub(jaccard.narrow(0, 0, n - 1))});
}

void check(const at::Tensor& logits, const at::Tensor& labels) {
  const bool fits = logits.dim() == 4 && labels.dim() == 3 && logits.size(1) <= 2 &&
                    logits.size(0) == labels.size(0) && logits.size(2) == labels.size(1) &&
                    logits.size(3) == labels.size(2);
  if (!fits) throw std::invalid_argument("matte_loss takes logits [N, 1 or 2, H, W] with labels [N, H, W]");
}

}  // namespace

at::Tensor class_weights(const at::Tensor& labels, int64_t classes) {
  const at::Tensor counted = labels.masked_select(labels.ne(kIgnoredLabel)).to(at::kLong);
  const at::Tensor counts = at::bincount(counted, {}, classes).to(at::kFloat);
  return counts.div(counts.sum().clamp_min(1)).add(1.10).log().reciprocal();
}

at::Tensor weighted_cross_entropy(const at::Tensor& logits, const at::Tensor& labels,
                                  const at::Tensor& weights) {
  const at::Tensor both = two_logits(logits), y = labels.to(at::kLong);
  const at::Tensor w =
      weights.defined() ? weights.to(both.options()) : at::ones({both.size(1)}, both.options());
  const at::Tensor sum = at::nll_loss2d(at::log_softmax(both, 1), y, w, at::Reduction::Sum, kIgnoredLabel);
  const at::Tensor counted = y.ne(kIgnoredLabel);
  const at::Tensor weight_sum = w.index_select(0, y.masked_select(counted)).sum();
  return sum.div(weight_sum.clamp_min(1e-12));
}

at::Tensor lovasz_hinge(const at::Tensor& scores, const at::Tensor& labels) {
  const at::Tensor counted = labels.ne(kIgnoredLabel);
  const at::Tensor z = scores.masked_select(counted), y = labels.masked_select(counted).to(z.scalar_type());
  if (z.numel() == 0) return scores.sum().mul(0);
  const at::Tensor errors = z.mul(y.mul(2).sub(1)).neg().add(1);
  const auto [sorted, order] = at::sort(errors, /*dim=*/0, /*descending=*/true);
  return at::relu(sorted).dot(jaccard_increments(y.index_select(0, order)));
}

at::Tensor foreground_score(const at::Tensor& logits) {
  return logits.size(1) == 1 ? logits.select(1, 0) : logits.select(1, 1).sub(logits.select(1, 0));
}

at::Tensor coarse_labels(const at::Tensor& labels, int64_t factor) {
  return labels.slice(1, 0, labels.size(1), factor).slice(2, 0, labels.size(2), factor).contiguous();
}

at::Tensor matte_loss(const at::Tensor& logits, const at::Tensor& labels, const MatteLossOptions& options) {
  check(logits, labels);
  if (options.kind != "cross_entropy" && options.kind != "lovasz")
    throw std::invalid_argument("unknown loss '" + options.kind + "' (there are: cross_entropy, lovasz)");
  const auto loss = [&](const at::Tensor& y) {
    if (options.kind == "lovasz") return lovasz_hinge(foreground_score(logits), y);
    return weighted_cross_entropy(logits, y, options.class_weights);
  };
  const at::Tensor whole = loss(labels);
  if (options.boundary_weight == 0) return whole;
  return whole.add(loss(boundary_labels(labels, options.boundary_side)), options.boundary_weight);
}

}  // namespace perennial
