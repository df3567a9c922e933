#include "perennial/learn/targets.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "perennial/nn/loss.h"

namespace perennial {

Targets Targets::of(const Samples& batch, const LabelMap& labels) {
  Targets targets;
  if (batch.has(column::kSoftLabel))
    targets.soft = labels.gather(batch.tensor(column::kSoftLabel));
  else
    targets.rows = labels.rows(batch.tensor(column::kLabel));
  if (batch.has(column::kWeight)) targets.weights = batch.tensor(column::kWeight);
  return targets;
}

Targets Targets::partners() const {
  const at::Tensor index = at::tensor(partner);
  const auto chosen = [&](const at::Tensor& t) {
    return t.defined() ? t.index_select(0, index.to(t.device())) : t;
  };
  return {chosen(rows), chosen(soft), chosen(weights), {}, 1};
}

at::Tensor Targets::losses(const at::Tensor& logits) const {
  at::Tensor all = cross_entropies(logits, soft.defined() ? soft : rows);
  if (weights.defined()) all = all * weights.to(all.device());
  return lambda < 1 ? all * lambda + partners().losses(logits) * (1 - lambda) : all;
}

at::Tensor Targets::mean_loss(const at::Tensor& logits) const {
  if (soft.defined() || weights.defined()) return losses(logits).mean();
  const at::Tensor loss = cross_entropy(logits, rows);
  return lambda < 1 ? loss * lambda + partners().mean_loss(logits) * (1 - lambda) : loss;
}

}  // namespace perennial
