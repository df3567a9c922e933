#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace perennial {

class State;

/// Samples side by side: row i of `inputs`, `targets` and `ids` is one sample. What streams yield, memories
/// keep and learners see. Inputs are uint8 images [N, C, H, W], or features [N, D], or token rows; targets
/// are int64 class labels [N], or masks [N, H, W], or whatever the learner's task needs. Tensors are
/// contiguous.
struct Samples {
  at::Tensor inputs;
  at::Tensor targets;
  std::vector<int64_t> ids;

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  bool empty() const { return ids.empty(); }
  /// Bytes of the rows: what a byte budget counts.
  int64_t bytes() const;
  /// Class label of each row; targets must be int64 [N].
  std::span<const int64_t> labels() const;
};

/// The named rows, copied, in that order.
Samples take(const Samples& samples, std::span<const int64_t> rows);

/// `count` rows from `begin`: the tensors are views of those of `samples`.
Samples slice(const Samples& samples, int64_t begin, int64_t count);

/// All rows of `a`, then all of `b`; either may be empty.
Samples concat(const Samples& a, const Samples& b);

/// To and from a saved state, under `prefix`.
void save_samples(const Samples& samples, State& state, const std::string& prefix);
Samples load_samples(const State& state, const std::string& prefix);

}  // namespace perennial
