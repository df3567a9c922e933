#include "perennial/memory/replay_order.h"

#include <algorithm>

#include "perennial/base/error.h"
#include "perennial/base/random.h"

namespace perennial {

void ReplayOrder::reshuffle(int64_t size) {
  order_ = permutation(size, Random(seed_, "replay", static_cast<uint64_t>(cycle_++)));
  at_ = 0;
}

std::vector<int64_t> ReplayOrder::next(int64_t count, int64_t size) {
  count = std::min(count, size);
  std::vector<int64_t> rows;
  while (static_cast<int64_t>(rows.size()) < count) {
    if (at_ == static_cast<int64_t>(order_.size())) reshuffle(size);
    const int64_t row = order_[at_++];
    if (row < size) rows.push_back(row);
  }
  return rows;
}

void ReplayOrder::save(State& state, const std::string& prefix) const {
  state.put(prefix + "cycle", cycle_);
  state.put(prefix + "at", at_);
  state.put_ints(prefix + "order", order_);
}

void ReplayOrder::load(const State& state, const std::string& prefix) {
  cycle_ = state.value<int64_t>(prefix + "cycle");
  order_ = state.ints(prefix + "order");
  for (const int64_t row : order_)
    if (row < 0)
      throw Error(
          {"reading a saved state", state.source, "rows from 0 in " + prefix + "order", std::to_string(row)});
  at_ = std::clamp<int64_t>(state.value<int64_t>(prefix + "at"), 0, static_cast<int64_t>(order_.size()));
}

}  // namespace perennial
