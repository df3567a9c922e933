#pragma once

#include <map>

#include "perennial/memory/policy.h"

namespace perennial {

/// Rainbow Memory's choice (from certain to uncertain, evenly) kept up as samples arrive, ours: what arrives
/// enters; of the largest class then goes the sample whose going leaves the uncertainties of the class most
/// evenly spread, the one with the narrowest gap between its neighbours. The uncertainty of what arrives is
/// found out at once, that of the memory in turn, `refresh` samples at each batch.
class SpreadPolicy : public Policy {
 public:
  SpreadPolicy(uint64_t seed, int64_t refresh) : seed_(seed), refresh_(refresh) {}
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

  /// The place in ascending `sorted` values with the narrowest gap between its neighbours; the ends, which
  /// have one neighbour, count twice the gap to it. Of equals the first after `from`.
  static size_t narrowest(const std::vector<float>& sorted, size_t from = 0);

 private:
  void look_at(const Memory& memory, const Samples& batch, const AskEvidence& ask);

  uint64_t seed_;
  int64_t refresh_, offers_ = 0, turn_ = 0;
  std::map<int64_t, float> uncertainty_;  ///< of the memory's samples, by id, as last found out
};

}  // namespace perennial
