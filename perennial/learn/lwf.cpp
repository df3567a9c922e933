#include <ATen/TensorOperators.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/distillation.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct LwfOptions : OwnOptions {
  double weight = 1, temperature = 2;
  bool revisit = true;
  void bind(OptionTable& table) override {
    table.add("lwf.weight", weight, "of the distance to the former network; 0: fine-tuning").range(0, 1e6);
    table.add("lwf.temperature", temperature, "of that distance").range(0.01, 100);
    table.add("lwf.revisit", revisit, "train `epochs` epochs on each task's own data after its stream pass");
  }
  void adjust(TrainOptions& train) override { train.replay_share = 0; }
};

class KeepsToFormer : public LossTerm {
 public:
  explicit KeepsToFormer(const LwfOptions& options) : options_(options) {}
  at::Tensor of(const StepView& step) override {
    if (!former_.there() || options_.weight == 0) return {};
    return distillation_loss(step.outputs.logits, former_.logits(step.inputs), options_.temperature) *
           options_.weight;
  }
  void remember(const Classifier& net) { former_.remember(net); }
  void save(State& state, const std::string& prefix) const override {
    former_.save(state, prefix + "former.");
  }
  void load(const State& state, const std::string& prefix, Classifier& net) override {
    former_.load(state, prefix + "former.", net);
  }

 private:
  LwfOptions options_;
  FormerNetwork former_;
};

/// Learning without forgetting (Li and Hoiem, TPAMI 2018), with one head: no memory; on the new data the
/// network is held to what the one before said of them.
ReplayParts without_forgetting(const LearnerSetup&, const LwfOptions& options) {
  const auto term = std::make_shared<KeepsToFormer>(options);
  return {.trainer = {.terms = {term}},
          .keep_task = options.revisit,
          .routine = std::make_unique<TaskEpochs>(options.revisit),
          .has_memory = false,
          .end_task = [term](ReplayKit& kit) {
            kit.rehearsal.forget_task();
            term->remember(kit.trainer.net());
          }};
}

}  // namespace

Method lwf_method() {
  return replay_method("lwf", "Learning without forgetting", "Li and Hoiem, TPAMI 2018",
                       "remembers no sample; holds the network to what the one before said",
                       without_forgetting);
}

}  // namespace perennial
