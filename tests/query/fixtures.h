#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/query/query.h"

namespace perennial {

/// A pool whose samples are vectors, and what there is to be known of them: features are the vectors, logits
/// what `logits` makes of them.
class ToyPool : public Source {
 public:
  using Logits = std::function<at::Tensor(const at::Tensor&)>;
  explicit ToyPool(at::Tensor vectors, Logits logits = {});

  const std::vector<int64_t>& sample_ids() const override { return ids_; }
  Samples get(std::span<const int64_t> rows) const override;
  uint64_t hash(uint64_t seed) const override { return seed; }

  /// All rows are candidates.
  Query query(uint64_t seed = 1, uint64_t round = 0) const;
  /// Those rows are answered, and the others candidates.
  Query query(const std::vector<int64_t>& answered, std::vector<int64_t> labels, uint64_t seed = 1) const;
  AskLearner ask() const;

  mutable int64_t asked = 0;  ///< rows whose features or logits were found out

 private:
  std::vector<int64_t> ids_;
  at::Tensor vectors_;
  Logits logits_;
};

/// `each` points around each of `centres`, float [k, D]: one behind the other, with this deviation.
at::Tensor blobs(const at::Tensor& centres, int64_t each, double deviation, uint64_t seed = 1);

/// float [n, d], normal.
at::Tensor normal_rows(int64_t n, int64_t d, uint64_t seed = 1);

}  // namespace perennial
