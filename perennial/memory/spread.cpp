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

SpreadPolicy::Ordered SpreadPolicy::in_order(const std::vector<Known>& known,
                                             const std::vector<int64_t>& rows) {
  const auto at = [&](size_t place) -> const Known& { return known[static_cast<size_t>(rows[place])]; };
  Ordered ordered{std::vector<size_t>(rows.size()), {}};
  std::iota(ordered.places.begin(), ordered.places.end(), size_t{0});
  std::stable_sort(ordered.places.begin(), ordered.places.end(),
                   [&](size_t a, size_t b) { return at(a).uncertainty < at(b).uncertainty; });
  for (const size_t place : ordered.places) ordered.weights.push_back(at(place).weight);
  return ordered;
}

double SpreadPolicy::lightest(const std::vector<Known>& known, const std::vector<int64_t>& rows) {
  const std::vector<float> weights = in_order(known, rows).weights;
  if (weights.size() == 1) return weights.front();
  const size_t low = lightest_pair(weights);
  return double{weights[low]} + weights[low + 1];
}

size_t SpreadPolicy::merge(std::vector<Known>& known, const std::vector<int64_t>& rows, Random& random) {
  if (rows.size() == 1) return 0;
  const auto [places, weights] = in_order(known, rows);
  const size_t low = lightest_pair(weights, random.below(static_cast<uint32_t>(rows.size() - 1)));
  const float both = weights[low] + weights[low + 1];
  const size_t goes = random.uniform() * both < weights[low] ? low + 1 : low;
  const size_t stays = places[goes == low ? low + 1 : low];
  known[static_cast<size_t>(rows[stays])].weight = both;
  return places[goes];
}

std::vector<SpreadPolicy::Known> SpreadPolicy::look_at(const Memory& memory, const Samples& batch,
                                                       const AskEvidence& ask) {
  std::vector<Known> known = known_;
  known.resize(static_cast<size_t>(memory.size() + batch.size()));
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < std::min(refresh_, memory.size()); ++i) rows.push_back(turn_++ % memory.size());
  const auto evidence = ask(concat(memory.take(rows), batch));
  for (int64_t row = 0; row < batch.size(); ++row) rows.push_back(memory.size() + row);
  const std::vector<float>& found = evidence->uncertainty();
  for (size_t i = 0; i < found.size(); ++i) known[static_cast<size_t>(rows[i])].uncertainty = found[i];
  return known;
}

void SpreadPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence& ask) {
  const auto position = static_cast<uint64_t>(++offers_);
  const int64_t all = memory.size() + batch.size(), capacity = memory.capacity(batch);
  std::vector<Known> known = look_at(memory, batch, ask);
  std::vector<int64_t> ids = memory.ids();
  ids.insert(ids.end(), batch.ids().begin(), batch.ids().end());
  std::vector<char> stays(static_cast<size_t>(all), 1);
  if (all > capacity) {
    Random merging(seed_, "spread", position, 1);
    stays = shrink_largest(
        candidate_labels(memory, batch), capacity, Random(seed_, "spread", position),
        [&](int64_t, const std::vector<int64_t>& rows) { return merge(known, rows, merging); },
        [&](const std::vector<int64_t>& rows) { return lightest(known, rows); });
  }
  const std::vector<int64_t> there = admit(memory, batch, stays, Random(seed_, "memory room", position));
  known_.clear();
  for (const int64_t candidate : there) known_.push_back(known[static_cast<size_t>(candidate)]);
  if (there.empty())  // a budget in bytes has moved rows
    for (const int64_t id : memory.ids())
      known_.push_back(known[static_cast<size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin())]);
}

void SpreadPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "offers", offers_);
  state.put(prefix + "turn", turn_);
  std::vector<float> uncertainty, weights;
  for (const Known& known : known_) {
    uncertainty.push_back(known.uncertainty);
    weights.push_back(known.weight);
  }
  state.put_floats(prefix + "uncertainty", uncertainty);
  state.put_floats(prefix + "weights", weights);
}

void SpreadPolicy::load(const State& state, const std::string& prefix) {
  offers_ = state.value<int64_t>(prefix + "offers");
  turn_ = state.value<int64_t>(prefix + "turn");
  const std::vector<float> uncertainty = state.floats(prefix + "uncertainty"),
                           weights = state.floats(prefix + "weights");
  known_.clear();
  for (size_t i = 0; i < std::min(uncertainty.size(), weights.size()); ++i)
    known_.push_back({uncertainty[i], weights[i]});
}

}  // namespace perennial
