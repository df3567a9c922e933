// A memory policy that asks for evidence, as an example.
#pragma once

#include <algorithm>
#include <map>

#include <ATen/core/Tensor.h>

#include "perennial/memory/policy.h"

namespace perennial {

/// As samples arrive: of the memory and the batch together, those of the largest class that the network finds
/// hardest go first, until the rest fit. Wrong labels are hard.
class LeastLoss : public Policy {
 public:
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override {
    const Samples all = concat(memory.samples(), batch);
    const auto evidence = ask(all);
    const at::Tensor losses = evidence->losses();
    const auto labels = all.labels();
    std::map<int64_t, std::vector<int64_t>> rows_of;  // hardest last
    for (int64_t row = 0; row < all.size(); ++row) rows_of[labels[row]].push_back(row);
    for (auto& [label, rows] : rows_of)
      std::sort(rows.begin(), rows.end(),
                [loss = losses.const_data_ptr<float>()](int64_t a, int64_t b) { return loss[a] < loss[b]; });
    for (int64_t size = all.size(); size > memory.capacity(all); --size)
      std::max_element(rows_of.begin(), rows_of.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
      })->second.pop_back();
    std::vector<int64_t> kept;
    for (const auto& [label, rows] : rows_of) kept.insert(kept.end(), rows.begin(), rows.end());
    memory.keep(all, kept, {}, Random(0, "least loss"));
  }
};

inline PolicyKind least_loss_policy() {
  return {"least_loss", {Fact::kLosses}, [](const PolicyOptions&, uint64_t) {
            return std::make_unique<LeastLoss>();
          }};
}

}  // namespace perennial
