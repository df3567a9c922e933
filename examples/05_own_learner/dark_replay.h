// Dark experience replay (Buzzega et al., NeurIPS 2020), as an example: what the network said of a sample
// when it was stored is stored with it, and later networks are held to that.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/options.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {

inline constexpr const char* kLogits =
    "logits";  ///< ragged float: one value for each class known at the time

/// alpha times the mean squared distance to the logits that were stored. A head grows: there are fewer of
/// them than there are now, in the same order.
class DistanceToStored : public LossTerm {
 public:
  explicit DistanceToStored(double alpha) : alpha_(alpha) {}
  at::Tensor of(const StepView& step) override {
    const bool mixed = step.targets.lambda < 1;  // CutMix: no sample's logits are those of the mixture
    if (mixed || !step.batch.has(kLogits)) return {};
    const at::Tensor& logits = step.outputs.logits;
    const Column& stored = step.batch.column(kLogits);
    at::Tensor there = at::zeros(logits.sizes()), target = at::zeros(logits.sizes());
    for (int64_t i = 0; i < stored.size(); ++i) {
      const at::Tensor row = stored.row(i);
      target[i].narrow(0, 0, row.size(0)).copy_(row);
      there[i].narrow(0, 0, row.size(0)).fill_(1);
    }
    const auto values = there.sum().item<double>();
    if (values == 0) return {};
    return ((logits - target.to(logits.device())).square() * there.to(logits.device())).sum() *
           (alpha_ / values);
  }

 private:
  double alpha_;
};

inline Samples with_logits(const Samples& samples, const at::Tensor& rows) {
  std::vector<int64_t> offsets{0};
  for (int64_t i = 0; i < samples.size(); ++i) offsets.push_back(offsets.back() + rows.size(1));
  return samples.with(kLogits, Column(rows.flatten(), std::move(offsets)));
}

/// The step of experience replay; the batch is remembered with what the network then says of it.
inline Samples dark_step(ReplayKit& kit, const Samples& batch) {
  replay_step(kit, with_logits(batch, at::zeros({batch.size(), 0})));
  return with_logits(batch, kit.ask()(batch)->logits());
}

struct DarkOptions : MethodOptions {
  double alpha = 0.3;
  PolicyOptions policy;
  void bind(OptionTable& table) override {
    table.add("dark.alpha", alpha, "weight of the distance to stored logits").range(0, 100);
    policy.bind(table, "dark.");
  }
};

inline ReplayParts dark_replay(const LearnerSetup&, const DarkOptions& options) {
  return {.trainer = {.terms = {std::make_shared<DistanceToStored>(options.alpha)}},
          .policy = options.policy,
          .routine = std::make_unique<StreamThenMemory>(dark_step)};
}

inline Method dark_method() {
  return replay_method("dark", "Dark experience replay", "Buzzega et al., NeurIPS 2020",
                       "holds the network to what it said of stored samples", dark_replay);
}

}  // namespace perennial
