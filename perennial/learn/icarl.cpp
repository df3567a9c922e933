#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/full.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/distillation.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct IcarlOptions : OwnOptions {
  PolicyOptions policy{.name = "herding"};
  bool distil = true, nearest_mean = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "icarl.");
    table.add("icarl.distil", distil, "hold the outputs of old classes to those of the former network");
    table.add("icarl.nearest_mean", nearest_mean,
              "predict the class whose samples in memory have the nearest mean feature; false: by the head");
  }
  // Batches of 128, rate 2, decay 1e-5, no Nesterov (Rebuffi et al., section 4).
  void adjust(TrainOptions& train) override {
    train.batch = 128;
    train.lr = 2;
    train.optimiser.nesterov = false;
    train.weight_decay = 1e-5;
  }
};

/// Minus the squared distance of a sample's feature to the mean of each class, both of length 1. Classes
/// without a sample in memory are as far as can be.
class NearestMean : public Readout {
 public:
  NearestMean(const at::Tensor& features, const at::Tensor& rows, int64_t classes) {
    const at::Tensor f = normalised(features);
    means_ = normalised(at::zeros({classes, f.size(1)}).index_add(0, rows, f));
    known_ = at::zeros({classes}, at::kBool).index_fill(0, rows, true);
  }
  std::string name() const override { return "nearest means of features"; }
  at::Tensor logits(const Classifier& network, const NetworkInput& inputs) const override {
    const at::Tensor f = normalised(network.features(inputs));
    constexpr double kFar = -1e9, kSharp = 20;
    at::Tensor out = at::full({f.size(0), network.classes()}, kFar);
    // Of vectors of length 1: |f - m|^2 = 2 - 2 f m.
    out.narrow(1, 0, means_.size(0)).copy_((f.matmul(means_.t()) * (2 * kSharp)).masked_fill(~known_, kFar));
    return out;
  }

 private:
  static at::Tensor normalised(const at::Tensor& f) { return f / f.norm(2, {1}, true).clamp_min(1e-12); }
  at::Tensor means_, known_;
};

/// Algorithms 2, 3 and 5: epochs over the task and the memory, with sigmoid outputs; exemplars by herding.
class Icarl : public UnionEpochs {
 public:
  explicit Icarl(const IcarlOptions& options) : options_(options) {}

  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    UnionEpochs::run(kit, i, progress);
    if (i < kit.trainer.options().epochs) return;
    if (options_.distil) former_.remember(kit.trainer.net());
    read(kit);
  }

  void save(State& state, const std::string& prefix) const override {
    former_.save(state, prefix + "former.");
    if (features_.defined())
      state.tensors[prefix + "features"] = features_, state.tensors[prefix + "rows"] = rows_;
    state.put(prefix + "classes", classes_);
  }
  void load(const State& state, const std::string& prefix, ReplayKit& kit) override {
    former_.load(state, prefix + "former.", kit.trainer.net());
    classes_ = state.value<int64_t>(prefix + "classes");
    if (!state.has_tensor(prefix + "features")) return;
    features_ = state.tensor(prefix + "features"), rows_ = state.tensor(prefix + "rows");
    kit.trainer.read_by(std::make_shared<NearestMean>(features_, rows_, classes_));
  }

 private:
  void read(ReplayKit& kit) {
    const Memory& memory = kit.rehearsal.memory();
    if (!options_.nearest_mean || memory.size() == 0) return;
    const auto evidence = kit.ask()(memory.samples());
    features_ = evidence->features(), rows_ = evidence->rows();
    classes_ = kit.trainer.net().classes();
    kit.trainer.read_by(std::make_shared<NearestMean>(features_, rows_, classes_));
  }

  /// Equation of algorithm 3: each output is a question of its own; those of old classes are answered by the
  /// former network.
  void step(ReplayKit& kit, const Samples& batch, double lr) override {
    if (batch.size() < 2) return;
    Trainer& trainer = kit.trainer;
    const NetworkInput inputs = trainer.view(batch, trainer.augmentation().unmixed());
    trainer.step(batch, inputs, Targets::of(batch, trainer.labels()), lr, [&](const StepView& view) {
      const at::Tensor& logits = view.outputs.logits;
      at::Tensor wanted = at::one_hot(view.targets.rows, logits.size(1)).to(at::kFloat);
      if (former_.there())
        wanted.narrow(1, 0, former_.classes()).copy_(at::sigmoid(former_.logits(view.inputs)));
      return at::binary_cross_entropy_with_logits(logits, wanted.to(logits.device()));
    });
  }

  IcarlOptions options_;
  FormerNetwork former_;
  at::Tensor features_, rows_;  ///< of the memory at the end of the last task
  int64_t classes_ = 0;         ///< known then
};

/// iCaRL as published (Rebuffi, Kolesnikov, Sperl, Lampert: "iCaRL: Incremental Classifier and Representation
/// Learning", CVPR 2017). A task's data may be revisited till its end.
ReplayParts icarl(const LearnerSetup&, const IcarlOptions& options) {
  return {.policy = options.policy, .keep_task = true, .routine = std::make_unique<Icarl>(options)};
}

}  // namespace

Method icarl_method() {
  return replay_method("icarl", "iCaRL", "Rebuffi et al., CVPR 2017",
                       "herds exemplars, distils the former network, predicts by nearest means", icarl);
}

}  // namespace perennial
