#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/memory/policy.h"

namespace perennial {

/// At most `each` random rows of every label, ascending by label; none of those in `without`.
std::vector<int64_t> balanced_rows(std::span<const int64_t> labels, int64_t each, Random random,
                                   std::span<const int64_t> without = {});

/// The `count` rows of a memory that adversarial Shapley value ranks first for replay beside `batch` (Shim,
/// Mai, Jeong, Sanner, Kim, Jang: "Online class-incremental continual learning with adversarial Shapley
/// value", AAAI 2021, equation 5): of a class-balanced subsample, those that speak for another such subsample
/// of the memory and against the batch. `mean`: means of both (asvm), else the maximum and minimum (asv).
std::vector<int64_t> adversarial_rows(const Memory& memory, const Samples& batch, const AskEvidence& ask,
                                      int64_t count, int64_t k, bool mean, Random random);

/// ASER's memory: once it is full, a random part of it and the batch compete; those with the highest Shapley
/// values for a class-balanced part of the memory, and for what in the batch is of minority classes, stay.
class AserPolicy : public Policy {
 public:
  AserPolicy(uint64_t seed, int64_t k) : seed_(seed), k_(k) {}
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  void save(State& state, const std::string& prefix) const override { state.put(prefix + "offers", offers_); }
  void load(const State& state, const std::string& prefix) override {
    offers_ = state.value<int64_t>(prefix + "offers");
  }

 private:
  uint64_t seed_;
  int64_t k_, offers_ = 0;
};

}  // namespace perennial
