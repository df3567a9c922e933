#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"

namespace perennial {
namespace {

struct AgemOptions : OwnOptions {
  PolicyOptions policy;
  bool project = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "agem.");
    table.add("agem.project", project,
              "take out of a step what would raise the loss on the memory; false: fine-tuning");
  }
  void adjust(TrainOptions& train) override { online_defaults(train); }
};

double backward(Trainer& trainer, const Samples& samples) {
  return trainer.backward(samples, trainer.prepare(samples, Targets::of(samples, trainer.labels())));
}

/// The gradients in place, which are there no more.
std::vector<at::Tensor> take_gradients(Classifier& net) {
  std::vector<at::Tensor> all;
  for (const NamedTensor& p : net.parameters()) {
    all.push_back(p.value.grad());
    p.value.mutable_grad() = at::Tensor();
  }
  return all;
}

/// Equation 11: g - (g . g_ref / g_ref . g_ref) g_ref, where g . g_ref < 0.
void project(Classifier& net, const std::vector<at::Tensor>& reference) {
  const at::NoGradGuard no_grad;
  double product = 0, length = 0;
  const auto parameters = net.parameters();
  const auto both = [&](size_t i) { return parameters[i].value.grad().defined() && reference[i].defined(); };
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!both(i)) continue;
    product += (parameters[i].value.grad() * reference[i]).sum().item<double>();
    length += reference[i].square().sum().item<double>();
  }
  if (product >= 0 || length == 0) return;
  for (size_t i = 0; i < parameters.size(); ++i)
    if (both(i)) parameters[i].value.mutable_grad().sub_(reference[i], product / length);
}

Samples projected_step(ReplayKit& kit, const Samples& batch, const AgemOptions& options) {
  if (!is_trained(kit, batch) || batch.size() < 2) return batch;
  Trainer& trainer = kit.trainer;
  for (int64_t i = 0; i < trainer.options().updates; ++i) {
    std::vector<at::Tensor> reference;
    if (const int64_t count = kit.replayed(); options.project && count >= 2) {
      const Samples drawn = kit.rehearsal.draw(count);
      if (drawn.size() >= 2) backward(trainer, drawn), reference = take_gradients(trainer.net());
    }
    const double loss = backward(trainer, batch);
    if (!reference.empty()) project(trainer.net(), reference);
    trainer.apply(batch, loss, stream_lr(kit));
    kit.robust_follows(batch, stream_lr(kit));
  }
  return batch;
}

/// A-GEM (Chaudhry, Ranzato, Rohrbach, Elhoseiny: "Efficient Lifelong Learning with A-GEM", ICLR 2019): the
/// memory is not trained on; a step must not raise the mean loss on a random part of it.
ReplayParts averaged_gem(const LearnerSetup&, const AgemOptions& options) {
  return {.policy = options.policy,
          .routine = std::make_unique<StreamThenMemory>([options](ReplayKit& kit, const Samples& batch) {
            return projected_step(kit, batch, options);
          })};
}

}  // namespace

Method agem_method() {
  return replay_method("agem", "A-GEM", "Chaudhry et al., ICLR 2019",
                       "steps that do not raise the loss on the memory", averaged_gem);
}

}  // namespace perennial
