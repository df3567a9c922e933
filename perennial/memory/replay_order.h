#pragma once

#include <string>
#include <vector>

#include "perennial/io/state.h"

namespace perennial {

/// Which memory rows to replay next: every row once, in a random order, then again in another.
class ReplayOrder {
 public:
  explicit ReplayOrder(uint64_t seed) : seed_(seed) {}
  /// `count` rows of a memory that holds `size` now (it may have grown since the last call).
  std::vector<int64_t> next(int64_t count, int64_t size);
  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  void reshuffle(int64_t size);
  uint64_t seed_;
  int64_t cycle_ = 0, at_ = 0;
  std::vector<int64_t> order_;
};

}  // namespace perennial
