#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include "perennial/base/error.h"
#include "perennial/base/random.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"
#include "perennial/nn/loss.h"

namespace perennial {
namespace {

struct EwcOptions : MethodOptions {
  PolicyOptions policy{.of_rainbow = true};
  double lambda = 100;
  int64_t samples = 256;
  int64_t batch = 16;
  bool accumulate = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "ewc.");
    table.add("ewc.lambda", lambda, "weight of the penalty").range(0, 1e9);
    table.add("ewc.samples", samples, "memory samples that the Fisher information is estimated from")
        .range(1, 1e9);
    table
        .add("ewc.batch", batch,
             "samples whose mean gradient is squared: 16 as the protocol's code does and lambda fits; 1 is "
             "the definition")
        .range(1, 65536);
    table
        .add("ewc.accumulate", accumulate,
             "average the information over tasks; false: the latest replaces the others")
        .released("false");
  }
};

/// What learns beneath the head: the backbone, or the neck on a frozen one.
std::vector<at::Tensor> beneath_head(const Classifier& net) {
  std::vector<at::Tensor> all;
  for (const NamedTensor& p : net.parameters())
    if (!p.name.starts_with("head.")) all.push_back(p.value);
  return all;
}

/// lambda * sum_i F_i (theta_i - theta*_i)^2 on what learns beneath the head. F is the diagonal Fisher
/// information from gradients of the cross-entropy to the model's own prediction.
class WeightPenalty : public LossTerm {
 public:
  explicit WeightPenalty(const EwcOptions& options) : options_(options) {}

  at::Tensor of(const StepView& step) override {
    if (fisher_.empty() || options_.lambda == 0) return {};
    at::Tensor sum;
    const auto parameters = beneath_head(step.net);
    for (size_t i = 0; i < parameters.size(); ++i) {
      const at::Tensor term = (fisher_[i] * (parameters[i] - anchor_[i]).square()).sum();
      sum = sum.defined() ? sum + term : term;
    }
    return sum * options_.lambda;
  }

  /// The end of a task: what the weights are, and how much each matters.
  void consolidate(ReplayKit& kit) {
    if (kit.rehearsal.memory().size() == 0 || options_.lambda == 0) return;
    const std::vector<at::Tensor> fresh = estimate_fisher(kit);
    const double share = options_.accumulate ? 1.0 / static_cast<double>(kit.task + 1) : 1.0;
    const auto parameters = beneath_head(kit.trainer.net());
    anchor_.clear();
    for (size_t i = 0; i < fresh.size(); ++i) {
      if (i == fisher_.size()) fisher_.push_back(fresh[i]);
      fisher_[i] = fisher_[i] * (1.0 - share) + fresh[i] * share;
      anchor_.push_back(parameters[i].detach().clone());
    }
  }

  void save(State& state, const std::string& prefix) const override {
    for (size_t i = 0; i < fisher_.size(); ++i) {
      state.tensors[prefix + "fisher." + std::to_string(i)] = fisher_[i];
      state.tensors[prefix + "anchor." + std::to_string(i)] = anchor_[i];
    }
  }

  void load(const State& state, const std::string& prefix, Classifier& net) override {
    fisher_.clear(), anchor_.clear();
    if (!state.has_tensor(prefix + "fisher.0")) return;
    const auto parameters = beneath_head(net);
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (state.tensor(prefix + "fisher." + std::to_string(i)).sizes() != parameters[i].sizes())
        throw Error({"reading EWC's state", state.source, "information on what learns beneath the head",
                     "that of a frozen backbone, as versions before December 2026 kept it"});
      fisher_.push_back(at::zeros_like(parameters[i]).detach());
      anchor_.push_back(at::zeros_like(parameters[i]).detach());
      fisher_[i].copy_(state.tensor(prefix + "fisher." + std::to_string(i)));
      anchor_[i].copy_(state.tensor(prefix + "anchor." + std::to_string(i)));
    }
  }

 private:
  std::vector<at::Tensor> estimate_fisher(ReplayKit& kit) const {
    Classifier& net = kit.trainer.net();
    const Memory& memory = kit.rehearsal.memory();
    const auto parameters = beneath_head(net);
    std::vector<at::Tensor> fisher;
    for (const auto& p : parameters) fisher.push_back(at::zeros_like(p).detach());
    auto order = permutation(memory.size(),
                             Random(kit.trainer.setup().seed, "fisher", static_cast<uint64_t>(kit.task)));
    order.resize(std::min<size_t>(order.size(), options_.samples));
    const auto total = static_cast<int64_t>(order.size());
    for (int64_t begin = 0; begin < total; begin += options_.batch) {
      const int64_t count = std::min(options_.batch, total - begin);
      const Samples batch = memory.take(std::span(order).subspan(begin, count));
      const at::Tensor logits = net.frozen_statistics_logits(batch);
      cross_entropy(logits, logits.detach().argmax(1)).backward();
      for (size_t i = 0; i < parameters.size(); ++i)
        if (parameters[i].grad().defined())
          fisher[i].add_(parameters[i].grad().square(),
                         static_cast<double>(count) / static_cast<double>(total));
      for (const auto& p : net.parameters()) p.value.mutable_grad() = at::Tensor();
    }
    return fisher;
  }

  EwcOptions options_;
  std::vector<at::Tensor> fisher_, anchor_;
};

/// Elastic weight consolidation (Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks",
/// PNAS 2017), online form, over experience replay.
ReplayParts elastic_weight_consolidation(const LearnerSetup&, const EwcOptions& options) {
  const auto penalty = std::make_shared<WeightPenalty>(options);
  return {.trainer = {.terms = {penalty}}, .policy = options.policy, .end_task = [penalty](ReplayKit& kit) {
            kit.clock.timed("fisher", [&] { penalty->consolidate(kit); });
          }};
}

}  // namespace

Method ewc_method() {
  return replay_method("ewc", "Elastic weight consolidation", "Kirkpatrick et al., PNAS 2017",
                       "experience replay with a penalty on moving weights that mattered",
                       elastic_weight_consolidation);
}

}  // namespace perennial
