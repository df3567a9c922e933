#include "perennial/memory/spread.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "perennial/memory/admission.h"

namespace perennial {

size_t SpreadPolicy::lightest_pair(const std::vector<float>& weights, size_t from) {
  const size_t pairs = weights.size() - 1;
  const auto weight = [&](size_t i) { return weights[i] + weights[i + 1]; };
  size_t best = from % pairs;
  for (size_t k = 1; k < pairs; ++k) {
    const size_t i = (from + k) % pairs;
    if (weight(i) < weight(best)) best = i;
  }
  return best;
}

size_t SpreadPolicy::merge(const std::vector<int64_t>& ids, Random& random) {
  if (ids.size() == 1) return 0;
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t i) { return std::pair(known_.at(ids[i]).uncertainty, ids[i]); };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<float> weights;
  for (const size_t i : order) weights.push_back(known_.at(ids[i]).weight);
  const size_t low = lightest_pair(weights, random.below(static_cast<uint32_t>(ids.size() - 1)));
  const float both = weights[low] + weights[low + 1];
  const size_t goes = random.uniform() * both < weights[low] ? low + 1 : low;
  known_.at(ids[order[goes == low ? low + 1 : low]]).weight = both;
  return order[goes];
}

void SpreadPolicy::look_at(const Memory& memory, const Samples& batch, const AskEvidence& ask) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < std::min(refresh_, memory.size()); ++i) rows.push_back(turn_++ % memory.size());
  const Samples some = concat(memory.take(rows), batch);
  const auto evidence = ask(some);
  const std::vector<float>& found = evidence->uncertainty();
  for (size_t i = 0; i < found.size(); ++i) known_[some.ids()[i]].uncertainty = found[i];
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
    Random merging(seed_, "spread", position, 1);
    stays = shrink_largest(labels, capacity, Random(seed_, "spread", position),
                           [&](int64_t, const std::vector<int64_t>& rows) {
                             std::vector<int64_t> own;
                             for (const int64_t row : rows) own.push_back(ids[static_cast<size_t>(row)]);
                             return merge(own, merging);
                           });
  }
  admit(memory, batch, stays, Random(seed_, "memory room", position));
  std::map<int64_t, Known> left;
  for (const int64_t id : memory.ids()) left.insert(known_.extract(id));
  known_ = std::move(left);
}

void SpreadPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "offers", offers_);
  state.put(prefix + "turn", turn_);
  std::vector<int64_t> ids;
  std::vector<float> uncertainty, weights;
  for (const auto& [id, known] : known_) {
    ids.push_back(id);
    uncertainty.push_back(known.uncertainty);
    weights.push_back(known.weight);
  }
  state.put_ints(prefix + "ids", ids);
  state.put_floats(prefix + "uncertainty", uncertainty);
  state.put_floats(prefix + "weights", weights);
}

void SpreadPolicy::load(const State& state, const std::string& prefix) {
  offers_ = state.value<int64_t>(prefix + "offers");
  turn_ = state.value<int64_t>(prefix + "turn");
  const std::vector<int64_t> ids = state.ints(prefix + "ids");
  const std::vector<float> uncertainty = state.floats(prefix + "uncertainty"),
                           weights = state.floats(prefix + "weights");
  known_.clear();
  for (size_t i = 0; i < std::min({ids.size(), uncertainty.size(), weights.size()}); ++i)
    known_[ids[i]] = {uncertainty[i], weights[i]};
}

}  // namespace perennial
