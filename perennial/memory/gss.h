#pragma once

#include <map>

#include "perennial/memory/policy.h"

namespace perennial {

/// Gradient-based sample selection, the greedy form (Aljundi, Lin, Goujaud, Bengio: "Gradient based sample
/// selection for online continual learning", NeurIPS 2019, algorithm 2; details of the widely used suite of
/// online baselines). A sample is redundant by its score c in [-1, 1]: the largest cosine of its gradient to
/// those of a few random batches of the memory. When the memory is full and the gradient of what arrives
/// points away from all of those, redundant samples are drawn, and each gives way with probability
/// (c_victim + 1) / (c_new + c_victim + 2). Gradients are those of the last layer, in two factors.
class GssPolicy : public Policy {
 public:
  explicit GssPolicy(uint64_t seed) : seed_(seed) {}
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

 private:
  std::vector<int64_t> victims(const Memory& memory, int64_t count) const;

  uint64_t seed_;
  int64_t offers_ = 0;
  std::map<int64_t, float> scores_;  ///< c of the memory's samples, by id
};

}  // namespace perennial
