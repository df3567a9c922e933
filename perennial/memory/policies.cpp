#include "perennial/memory/policies.h"

#include <algorithm>
#include <map>

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace perennial {

std::vector<int64_t> RandomPolicy::select(const Candidates& candidates, int64_t capacity, uint64_t position,
                                          std::vector<float>& scores) {
  scores.clear();
  Random random(seed_, "memory random", position);
  return select_balanced(candidates.samples.labels(), candidates.classes, capacity,
                         Random(seed_, "memory fill", position),
                         [&](std::vector<int64_t> rows, int64_t quota) {
                           shuffle(rows, random);
                           if (static_cast<int64_t>(rows.size()) > quota) rows.resize(quota);
                           return rows;
                         });
}

void ReservoirPolicy::offer(Memory& memory, const Samples& batch) {
  const int64_t capacity = memory.capacity(batch);
  const int64_t room = std::min(capacity - memory.size(), batch.size());
  if (room > 0) {
    std::vector<int64_t> first(room);
    for (int64_t i = 0; i < room; ++i) first[i] = i;
    memory.replace(concat(memory.samples(), take(batch, first)));
    seen_ += room;
  }
  for (int64_t row = std::max<int64_t>(0, room); row < batch.size(); ++row) {
    Random random(seed_, "reservoir", static_cast<uint64_t>(seen_++));
    const auto slot = static_cast<int64_t>(random.below(static_cast<uint32_t>(seen_)));
    if (slot < capacity) memory.overwrite(slot, batch, row);
  }
}

void ReservoirPolicy::save(State& state, const std::string& prefix) const {
  state.values[prefix + "seen"] = seen_;
}
void ReservoirPolicy::load(const State& state, const std::string& prefix) {
  seen_ = state.value<int64_t>(prefix + "seen");
}

void GreedyBalancedPolicy::offer(Memory& memory, const Samples& batch) {
  const int64_t capacity = memory.capacity(batch);
  if (capacity == 0) return;
  std::map<int64_t, std::vector<int64_t>> slots;  // of each class
  const auto kept = memory.samples().labels();
  for (size_t i = 0; i < kept.size(); ++i) slots[kept[i]].push_back(static_cast<int64_t>(i));
  const auto labels = batch.labels();
  for (int64_t row = 0; row < batch.size(); ++row, ++seen_) {
    auto& own = slots[labels[row]];
    if (memory.size() < capacity) {
      memory.append(batch, row);
      own.push_back(memory.size() - 1);
      continue;
    }
    if (static_cast<int64_t>(own.size()) * static_cast<int64_t>(slots.size()) >= capacity) continue;
    const auto largest = std::max_element(slots.begin(), slots.end(), [](const auto& a, const auto& b) {
      return a.second.size() < b.second.size();
    });
    if (largest->second.size() <= own.size()) continue;
    auto& theirs = largest->second;
    const uint32_t k =
        Random(seed_, "greedy", static_cast<uint64_t>(seen_)).below(static_cast<uint32_t>(theirs.size()));
    memory.overwrite(theirs[k], batch, row);
    own.push_back(theirs[k]);
    theirs.erase(theirs.begin() + k);
  }
}

void GreedyBalancedPolicy::save(State& state, const std::string& prefix) const {
  state.values[prefix + "seen"] = seen_;
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

std::vector<int64_t> HerdingPolicy::select(const Candidates& candidates, int64_t capacity, uint64_t position,
                                           std::vector<float>& scores) {
  scores.clear();
  const at::Tensor features = candidates.features();
  return select_balanced(candidates.samples.labels(), candidates.classes, capacity,
                         Random(seed_, "memory fill", position),
                         [&](std::vector<int64_t> rows, int64_t quota) {
                           if (static_cast<int64_t>(rows.size()) <= quota) return rows;
                           return herd(features, rows, quota);
                         });
}

}  // namespace perennial
