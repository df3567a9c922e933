#pragma once

#include "perennial/nn/module.h"

namespace perennial {

/// kLinear: weight and bias. kLinearNorm: no bias, BatchNorm1d (eps 1e-6) on the logits (GDumb's head).
enum class HeadKind { kLinear, kLinearNorm };

/// A linear classifier whose rows grow with new classes.
class Head {
 public:
  /// Initial rows: U(-1/sqrt(D), 1/sqrt(D)), a function of (seed, class, position).
  Head(HeadKind kind, int64_t feature_size, int64_t classes, uint64_t seed, uint64_t position = 0);
  /// features [N, D] -> logits [N, classes]; in training kLinearNorm needs two rows, since one has no
  /// variance.
  at::Tensor forward(const at::Tensor& features, bool training) { return apply(features, training); }
  /// The same from running statistics, from several threads at once while nobody changes the tensors.
  at::Tensor infer(const at::Tensor& features) const { return apply(features, false); }
  /// Of the linear layer, [classes, D].
  const at::Tensor& weight() const { return tensors_.all().front().value; }
  int64_t classes() const { return classes_; }
  int64_t feature_size() const { return feature_size_; }
  HeadKind kind() const { return kind_; }
  /// What its initial rows, those of classes still to come included, are drawn for.
  uint64_t position() const { return position_; }
  /// More rows; the old ones keep their values (and the new tensors are new leaves: optimisers must be told).
  void grow(int64_t classes);
  TensorList& tensors() { return tensors_; }
  const TensorList& tensors() const { return tensors_; }

 private:
  at::Tensor apply(const at::Tensor& features, bool training) const;
  void build(int64_t classes);
  HeadKind kind_;
  int64_t feature_size_, classes_ = 0;
  uint64_t seed_, position_;
  TensorList tensors_;
};

}  // namespace perennial
