#include "perennial/memory/policies.h"

#include <algorithm>
#include <map>

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace perennial {

Choice RandomPolicy::select(Evidence& candidates, int64_t capacity, uint64_t position) {
  Random random(seed_, "memory random", position);
  return {select_balanced(candidates.samples().labels(), candidates.classes_met(), capacity,
                          Random(seed_, "memory fill", position),
                          [&](std::vector<int64_t> rows, int64_t quota) {
                            shuffle(rows, random);
                            if (static_cast<int64_t>(rows.size()) > quota) rows.resize(quota);
                            return rows;
                          }),
          {}};
}

void OnlinePolicy::save(State& state, const std::string& prefix) const { state.put(prefix + "seen", seen_); }
void OnlinePolicy::load(const State& state, const std::string& prefix) {
  seen_ = state.value<int64_t>(prefix + "seen");
}

void ReservoirPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence&) {
  for (int64_t row = 0; row < batch.size(); ++row) {
    const int64_t capacity = memory.capacity(batch.row_bytes(row));
    const auto position = static_cast<uint64_t>(seen_++);
    const int64_t slot = seen_ <= capacity
                             ? memory.size()
                             : Random(seed_, "reservoir", position).below(static_cast<uint32_t>(seen_));
    if (slot < capacity)
      memory.put(std::min(slot, memory.size()), batch, row, Random(seed_, "memory room", position));
  }
}

namespace {

/// The slots of each class of a memory, ascending, kept up as rows change.
class ClassSlots {
 public:
  explicit ClassSlots(const Memory& memory) : memory_(memory) { find(); }
  int64_t classes() const { return std::ssize(slots_); }
  int64_t of(int64_t label) const {
    const auto own = slots_.find(label);
    return own == slots_.end() ? 0 : std::ssize(own->second);
  }
  int64_t largest() const {
    return std::max_element(slots_.begin(), slots_.end(),
                            [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); })
        ->first;
  }
  /// A random one of the class, which is free then.
  int64_t free_one(int64_t label, Random random) {
    auto& own = slots_.at(label);
    const uint32_t k = random.below(static_cast<uint32_t>(own.size()));
    const int64_t slot = own[k];
    own.erase(own.begin() + k);
    return slot;
  }
  /// `label` has been put into `slot`; `moved`: others have changed their slots.
  void put(int64_t slot, int64_t label, bool moved) {
    auto& own = slots_[label];
    own.insert(std::lower_bound(own.begin(), own.end(), slot), slot);  // however the stream is cut
    if (moved) find();
  }
  /// A class counts from its first sample on, whether that stays or not.
  void meet(int64_t label) { slots_[label]; }

 private:
  void find() {
    for (auto& [label, own] : slots_) own.clear();
    const auto kept = memory_.labels();
    for (size_t i = 0; i < kept.size(); ++i) slots_[kept[i]].push_back(static_cast<int64_t>(i));
  }

  const Memory& memory_;
  std::map<int64_t, std::vector<int64_t>> slots_;
};

}  // namespace

void GreedyBalancedPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence&) {
  ClassSlots slots(memory);
  const auto labels = batch.labels();
  for (int64_t row = 0; row < batch.size(); ++row, ++seen_) {
    if (!memory.could_hold(batch, row)) continue;
    const int64_t capacity = memory.capacity(batch.row_bytes(row)), label = labels[row];
    const auto position = static_cast<uint64_t>(seen_);
    slots.meet(label);
    int64_t slot = memory.size();
    if (slot >= capacity) {
      if (slots.of(label) * slots.classes() >= capacity) continue;
      const int64_t largest = slots.largest();
      if (slots.of(largest) <= slots.of(label)) continue;
      slot = slots.free_one(largest, Random(seed_, "greedy", position));
    }
    slots.put(slot, label, memory.put(slot, batch, row, Random(seed_, "memory room", position)));
  }
}

void BalancedReservoirPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence&) {
  ClassSlots slots(memory);
  const auto labels = batch.labels();
  for (int64_t row = 0; row < batch.size(); ++row) {
    const int64_t label = labels[row], seen = ++seen_of_[label];
    const auto position = static_cast<uint64_t>(seen_++);
    if (!memory.could_hold(batch, row)) continue;
    slots.meet(label);
    int64_t slot = memory.size();
    if (slot >= memory.capacity(batch.row_bytes(row))) {
      const int64_t largest = slots.largest();
      Random random(seed_, "balanced reservoir", position);
      full_.insert(largest);
      if (slots.of(label) == slots.of(largest)) full_.insert(label);
      if (!full_.contains(label) || slots.of(label) == 0)
        slot = slots.free_one(largest, random);
      else if (random.below(static_cast<uint32_t>(seen)) < slots.of(label))
        slot = slots.free_one(label, random);
      else
        continue;
    }
    slots.put(slot, label, memory.put(slot, batch, row, Random(seed_, "memory room", position)));
  }
}

void BalancedReservoirPolicy::save(State& state, const std::string& prefix) const {
  OnlinePolicy::save(state, prefix);
  std::vector<int64_t> labels, seen, full(full_.begin(), full_.end());
  for (const auto& [label, count] : seen_of_) labels.push_back(label), seen.push_back(count);
  state.put_ints(prefix + "labels", labels);
  state.put_ints(prefix + "seen_of", seen);
  state.put_ints(prefix + "full", full);
}
void BalancedReservoirPolicy::load(const State& state, const std::string& prefix) {
  OnlinePolicy::load(state, prefix);
  const std::vector<int64_t> labels = state.ints(prefix + "labels"), seen = state.ints(prefix + "seen_of"),
                             full = state.ints(prefix + "full");
  seen_of_.clear();
  for (size_t i = 0; i < std::min(labels.size(), seen.size()); ++i) seen_of_[labels[i]] = seen[i];
  full_ = {full.begin(), full.end()};
}

namespace {

std::vector<int64_t> herd(const at::Tensor& features, const std::vector<int64_t>& rows, int64_t quota) {
  at::Tensor f = features.index_select(0, at::tensor(rows));
  f = f / f.norm(2, {1}, true).clamp_min(1e-12);
  const at::Tensor mean = f.mean(0);
  at::Tensor sum = at::zeros(mean.sizes(), mean.options());
  at::Tensor used = at::zeros({f.size(0)}, f.options());
  std::vector<int64_t> chosen;
  for (int64_t k = 1; k <= quota; ++k) {
    const at::Tensor distance = ((sum + f) / static_cast<double>(k) - mean).square().sum(1) + used;
    const int64_t best = distance.argmin().item<int64_t>();
    used[best] = 1e9;
    sum = sum + f[best];
    chosen.push_back(rows[best]);
  }
  return chosen;
}

}  // namespace

Choice HerdingPolicy::select(Evidence& candidates, int64_t capacity, uint64_t position) {
  const at::Tensor& features = candidates.features();
  return {select_balanced(candidates.samples().labels(), candidates.classes_met(), capacity,
                          Random(seed_, "memory fill", position),
                          [&](std::vector<int64_t> rows, int64_t quota) {
                            if (static_cast<int64_t>(rows.size()) <= quota) return rows;
                            return herd(features, rows, quota);
                          }),
          {}};
}

}  // namespace perennial
