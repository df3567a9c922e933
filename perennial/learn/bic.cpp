#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/options.h"
#include "perennial/base/random.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/distillation.h"
#include "perennial/learn/replay_learner.h"
#include "perennial/memory/admission.h"

namespace perennial {
namespace {

struct BicOptions : OwnOptions {
  PolicyOptions policy{.name = "herding"};
  double temperature = 2, held_out = 0.1;
  bool correct = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "bic.");
    table.add("bic.temperature", temperature, "of the distance to the former network").range(0.01, 100);
    table.add("bic.held_out", held_out, "share of the memory, and as many of each new class, that corrects")
        .range(0.01, 0.5);
    table.add("bic.correct", correct, "correct the logits of new classes; false: distillation alone");
  }
  void adjust(TrainOptions& train) override {
    train.batch = 128;
    train.lr = 0.1;
    train.weight_decay = 2e-4;
  }
};

/// A scale and a shift of the logits of each class.
struct Correction {
  at::Tensor scale, shift;  ///< float [classes]

  at::Tensor of(const at::Tensor& logits) const {
    const int64_t known = scale.defined() ? scale.size(0) : 0, more = logits.size(1) - known;
    if (known == 0) return logits;
    const at::Tensor own = logits.narrow(1, 0, known) * scale + shift;
    return more == 0 ? own : at::cat({own, logits.narrow(1, known, more)}, 1);
  }
};

class Corrected : public Readout {
 public:
  explicit Corrected(Correction correction) : correction_(std::move(correction)) {}
  std::string name() const override { return "corrected logits"; }
  at::Tensor logits(const Classifier& network, const NetworkInput& inputs) const override {
    return correction_.of(network.logits(inputs));
  }

 private:
  Correction correction_;
};

/// Section 3.3: a scale and a shift for columns [first, classes), by gradient descent on the cross-entropy.
std::pair<double, double> fit(const at::Tensor& logits, const at::Tensor& rows, int64_t first) {
  constexpr int kSteps = 500;
  constexpr double kRate = 0.1;
  const int64_t fresh = logits.size(1) - first;
  const at::Tensor own = logits.narrow(1, first, fresh), before = logits.narrow(1, 0, first);
  const at::Tensor wanted = at::one_hot(rows, logits.size(1)).narrow(1, first, fresh);
  double scale = 1, shift = 0;
  for (int i = 0; i < kSteps; ++i) {
    const at::Tensor p = at::log_softmax(at::cat({before, own * scale + shift}, 1), 1).exp();
    const at::Tensor residual = p.narrow(1, first, fresh) - wanted;
    const auto n = static_cast<double>(rows.size(0));
    const double of_scale = (residual * own).sum().item<double>() / n,
                 of_shift = residual.sum().item<double>() / n;
    scale -= kRate * of_scale / std::max(1.0, std::abs(of_scale)), shift -= kRate * of_shift;
  }
  return {scale, shift};
}

/// The piece after the epochs also fits the correction.
class Bic : public UnionEpochs {
 public:
  Bic(const BicOptions& options, uint64_t seed) : options_(options), seed_(seed) {}

  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    if (i == kit.trainer.options().epochs) end_task(kit);
    UnionEpochs::run(kit, i, progress);
  }

  void save(State& state, const std::string& prefix) const override {
    former_.save(state, prefix + "former.");
    if (!now_.scale.defined()) return;
    state.tensors[prefix + "scale"] = now_.scale, state.tensors[prefix + "shift"] = now_.shift;
  }
  void load(const State& state, const std::string& prefix, ReplayKit& kit) override {
    former_.load(state, prefix + "former.", kit.trainer.net());
    if (!state.has_tensor(prefix + "scale")) return;
    now_ = {state.tensor(prefix + "scale"), state.tensor(prefix + "shift")};
    kit.trainer.read_by(std::make_shared<Corrected>(now_));
  }

 private:
  /// Of the memory a share, of each new class in the task as many as of an old one: not trained on.
  struct Parts {
    Samples train, held_out;
  };
  Parts parts(ReplayKit& kit) const {
    const Samples memory = earlier_samples(kit);
    const Samples all = concat(kit.rehearsal.task_samples(), memory);
    const int64_t own = all.size() - memory.size();
    std::vector<int64_t> train, held_out;
    const auto share = static_cast<float>(options_.held_out);
    const auto chosen = [&](int64_t row, float chance) {
      return Random(seed_, "bic", static_cast<uint64_t>(kit.task),
                    static_cast<uint64_t>(all.ids()[static_cast<size_t>(row)]))
          .chance(chance);
    };
    if (former_.there() && !memory.empty()) {
      const auto classes = rows_by_label(std::span(all.labels()).first(static_cast<size_t>(own)));
      const double of_old =
          share * static_cast<double>(memory.size()) / static_cast<double>(former_.classes());
      for (const auto& [label, rows] : classes) {
        const bool fresh =
            kit.trainer.labels().rows(at::tensor({label})).item<int64_t>() >= former_.classes();
        for (const int64_t row : rows)
          (fresh && chosen(row, static_cast<float>(of_old / static_cast<double>(rows.size()))) ? held_out
                                                                                               : train)
              .push_back(row);
      }
      for (int64_t row = own; row < all.size(); ++row) (chosen(row, share) ? held_out : train).push_back(row);
    } else {
      for (int64_t row = 0; row < all.size(); ++row) train.push_back(row);
    }
    return {take(all, train), take(all, held_out)};
  }

  Samples epoch_samples(ReplayKit& kit) override { return parts(kit).train; }

  void step(ReplayKit& kit, const Samples& batch, double lr) override {
    if (batch.size() < 2) return;
    Trainer& trainer = kit.trainer;
    const Prepared made = trainer.prepare(batch, Targets::of(batch, trainer.labels()));
    trainer.step(batch, made.inputs, made.targets, lr, [&](const StepView& view) {
      const at::Tensor own = view.targets.mean_loss(view.outputs.logits);
      if (!former_.there()) return own;
      // Equation 3: lambda = n / (n + m), of n old classes and m new ones.
      const double lambda =
          static_cast<double>(former_.classes()) / static_cast<double>(view.outputs.logits.size(1));
      const at::Tensor former = now_.of(former_.logits(view.inputs));
      return lambda * distillation_loss(view.outputs.logits, former, options_.temperature) +
             (1 - lambda) * own;
    });
  }

  void end_task(ReplayKit& kit) {
    const int64_t first = former_.classes(), classes = kit.trainer.net().classes();
    if (now_.scale.defined() || first > 0) {
      const int64_t known = now_.scale.defined() ? now_.scale.size(0) : 0;
      const at::Tensor ones = at::ones({classes - known}), zeros = at::zeros({classes - known});
      now_ = {known > 0 ? at::cat({now_.scale, ones}) : ones,
              known > 0 ? at::cat({now_.shift, zeros}) : zeros};
      const Samples held_out = parts(kit).held_out;
      if (options_.correct && first < classes && !held_out.empty()) {
        const auto evidence = kit.ask()(held_out);
        const auto [scale, shift] = fit(evidence->logits(), evidence->rows(), first);
        now_.scale.narrow(0, first, classes - first).fill_(scale);
        now_.shift.narrow(0, first, classes - first).fill_(shift);
      }
      kit.trainer.read_by(std::make_shared<Corrected>(now_));
    }
    former_.remember(kit.trainer.net());
  }

  BicOptions options_;
  uint64_t seed_;
  FormerNetwork former_;
  Correction now_;  ///< of the last task's end
};

/// BiC as published (Wu, Chen, Wang, Ye, Liu, Guo, Fu: "Large Scale Incremental Learning", CVPR 2019). A
/// task's data may be revisited till its end.
ReplayParts bias_correction(const LearnerSetup& setup, const BicOptions& options) {
  return {.policy = options.policy, .keep_task = true, .routine = std::make_unique<Bic>(options, setup.seed)};
}

}  // namespace

Method bic_method() {
  return replay_method("bic", "Bias correction", "Wu et al., CVPR 2019",
                       "distils the former network, then corrects the logits of new classes",
                       bias_correction);
}

}  // namespace perennial
