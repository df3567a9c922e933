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

void ReservoirPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "seen", seen_);
}
void ReservoirPolicy::load(const State& state, const std::string& prefix) {
  seen_ = state.value<int64_t>(prefix + "seen");
}

void GreedyBalancedPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence&) {
  std::map<int64_t, std::vector<int64_t>> slots;  // of each class
  const auto find_slots = [&] {
    for (auto& [label, own] : slots) own.clear();
    const auto kept = memory.labels();
    for (size_t i = 0; i < kept.size(); ++i) slots[kept[i]].push_back(static_cast<int64_t>(i));
  };
  find_slots();
  const auto labels = batch.labels();
  for (int64_t row = 0; row < batch.size(); ++row, ++seen_) {
    if (!memory.could_hold(batch, row)) continue;
    const int64_t capacity = memory.capacity(batch.row_bytes(row));
    const auto position = static_cast<uint64_t>(seen_);
    auto& own = slots[labels[row]];
    int64_t slot = memory.size();
    if (slot >= capacity) {
      if (static_cast<int64_t>(own.size()) * static_cast<int64_t>(slots.size()) >= capacity) continue;
      const auto largest = std::max_element(slots.begin(), slots.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
      });
      auto& theirs = largest->second;
      if (theirs.size() <= own.size()) continue;
      const uint32_t k = Random(seed_, "greedy", position).below(static_cast<uint32_t>(theirs.size()));
      slot = theirs[k];
      theirs.erase(theirs.begin() + k);
    }
    own.insert(std::lower_bound(own.begin(), own.end(), slot), slot);  // however the stream is cut
    if (memory.put(slot, batch, row, Random(seed_, "memory room", position))) find_slots();
  }
}

void GreedyBalancedPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "seen", seen_);
}
void GreedyBalancedPolicy::load(const State& state, const std::string& prefix) {
  seen_ = state.value<int64_t>(prefix + "seen");
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
