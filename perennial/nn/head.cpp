#include "perennial/nn/head.h"

#include <cmath>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>

#include "perennial/nn/init.h"

namespace perennial {
namespace {

constexpr double kEps = 1e-6, kMomentum = 0.1;

}  // namespace

Head::Head(HeadKind kind, int64_t feature_size, int64_t classes, uint64_t seed, uint64_t position)
    : kind_(kind), feature_size_(feature_size), seed_(seed), position_(position) {
  build(classes);
}

at::Tensor Head::apply(const at::Tensor& features, bool training) const {
  const auto& t = tensors_.all();
  if (kind_ == HeadKind::kLinear) return at::linear(features, t[0].value, t[1].value);
  const at::Tensor product = at::linear(features, t[0].value);
  return at::batch_norm(product, t[1].value, t[2].value, t[3].value, t[4].value, training, kMomentum, kEps,
                        true);
}

void Head::grow(int64_t classes) {
  if (classes < classes_)
    throw std::invalid_argument("a head of " + std::to_string(classes_) + " classes cannot shrink to " +
                                std::to_string(classes));
  if (classes > classes_) build(classes);
}

// Rows from classes_ on are drawn, the ones before are kept; the first call draws all.
void Head::build(int64_t classes) {
  const at::NoGradGuard no_grad;
  const TensorList old = std::move(tensors_);
  tensors_ = TensorList();
  const int64_t fresh = classes - classes_;
  const double bound = 1.0 / std::sqrt(static_cast<double>(feature_size_));
  const auto extended = [&](const at::Tensor& rows) {
    if (old.all().empty()) return rows;
    const at::Tensor& kept = old.all()[tensors_.all().size()].value;
    return at::cat({kept.detach(), rows.to(kept.device())});
  };
  const auto constant = [&](double value) { return extended(at::full({fresh}, value, at::kFloat)); };
  tensors_.parameter(
      "weight", extended(uniform({fresh, feature_size_}, bound, seed_, "head.weight", position_, classes_)));
  if (kind_ == HeadKind::kLinear) {
    tensors_.parameter("bias", extended(uniform({fresh}, bound, seed_, "head.bias", position_, classes_)));
  } else {
    tensors_.parameter("bn.weight", constant(1));
    tensors_.parameter("bn.bias", constant(0));
    tensors_.buffer("bn.running_mean", constant(0));
    tensors_.buffer("bn.running_var", constant(1));
  }
  classes_ = classes;
}

}  // namespace perennial
