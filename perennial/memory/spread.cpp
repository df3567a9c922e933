#include "perennial/memory/spread.h"

#include <algorithm>
#include <tuple>

#include "perennial/memory/admission.h"

namespace perennial {

size_t SpreadPolicy::narrowest(const std::vector<float>& sorted, size_t from) {
  const size_t n = sorted.size();
  const auto gap = [&](size_t i) {
    if (n == 1) return 0.0F;
    if (i == 0) return 2 * (sorted[1] - sorted[0]);
    if (i == n - 1) return 2 * (sorted[n - 1] - sorted[n - 2]);
    return sorted[i + 1] - sorted[i - 1];
  };
  size_t best = from % n;
  for (size_t k = 1; k < n; ++k) {
    const size_t i = (from + k) % n;
    if (gap(i) < gap(best)) best = i;
  }
  return best;
}

void SpreadPolicy::look_at(const Memory& memory, const Samples& batch, const AskEvidence& ask) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < std::min(refresh_, memory.size()); ++i) rows.push_back(turn_++ % memory.size());
  const Samples some = concat(memory.take(rows), batch);
  const auto evidence = ask(some);
  const std::vector<float>& found = evidence->uncertainty();
  for (size_t i = 0; i < found.size(); ++i) uncertainty_[some.ids()[i]] = found[i];
}

void SpreadPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence& ask) {
  const auto position = static_cast<uint64_t>(++offers_);
  const int64_t all = memory.size() + batch.size(), capacity = memory.capacity(batch);
  look_at(memory, batch, ask);
  std::vector<char> stays(static_cast<size_t>(all), 1);
  if (all > capacity) {
    std::vector<int64_t> ids = memory.ids(), labels;
    ids.insert(ids.end(), batch.ids().begin(), batch.ids().end());
    const auto kept = memory.size() > 0 ? memory.labels() : std::span<const int64_t>();
    labels.assign(kept.begin(), kept.end());
    labels.insert(labels.end(), batch.labels().begin(), batch.labels().end());
    Random from(seed_, "spread", position, 1);
    stays = shrink_largest(labels, capacity, Random(seed_, "spread", position),
                           [&](int64_t, const std::vector<int64_t>& rows) {
                             std::vector<std::pair<float, size_t>> order;
                             for (size_t i = 0; i < rows.size(); ++i)
                               order.emplace_back(uncertainty_.at(ids[static_cast<size_t>(rows[i])]), i);
                             std::sort(order.begin(), order.end());
                             std::vector<float> sorted;
                             for (const auto& [u, place] : order) sorted.push_back(u);
                             const uint32_t first = from.below(static_cast<uint32_t>(order.size()));
                             return order[narrowest(sorted, first)].second;
                           });
  }
  admit(memory, batch, stays, Random(seed_, "memory room", position));
  const std::map<int64_t, float> known = std::move(uncertainty_);
  uncertainty_.clear();
  for (const int64_t id : memory.ids()) uncertainty_[id] = known.at(id);
}

void SpreadPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "offers", offers_);
  state.put(prefix + "turn", turn_);
  std::vector<int64_t> ids;
  std::vector<float> values;
  for (const auto& [id, u] : uncertainty_) ids.push_back(id), values.push_back(u);
  state.put_ints(prefix + "ids", ids);
  state.put_floats(prefix + "uncertainty", values);
}

void SpreadPolicy::load(const State& state, const std::string& prefix) {
  offers_ = state.value<int64_t>(prefix + "offers");
  turn_ = state.value<int64_t>(prefix + "turn");
  const std::vector<int64_t> ids = state.ints(prefix + "ids");
  const std::vector<float> values = state.floats(prefix + "uncertainty");
  uncertainty_.clear();
  for (size_t i = 0; i < std::min(ids.size(), values.size()); ++i) uncertainty_[ids[i]] = values[i];
}

}  // namespace perennial
