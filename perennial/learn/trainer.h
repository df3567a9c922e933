#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "perennial/data/augment.h"
#include "perennial/learn/method.h"
#include "perennial/learn/plugin.h"
#include "perennial/learn/predictor.h"
#include "perennial/learn/readout.h"
#include "perennial/memory/epoch_order.h"

namespace perennial {

class Trainer;

/// What a method makes its trainer from, besides what the user says.
struct TrainerParts {
  HeadKind head = HeadKind::kLinear;
  std::string augmentation = {};  ///< what "auto" adds to crop and flip, for example "cutmix,autoaugment"
  std::string vector_augmentation = "none";  ///< what "auto" is for vectors and frozen features
  std::vector<std::shared_ptr<LossTerm>> terms = {};
  /// Called after each step.
  std::function<void(Trainer& trainer)> after_step = {};
  /// How parameters are grouped; empty: one group with train.weight_decay.
  std::function<std::vector<ParameterGroup>(const Classifier&)> groups = {};
};

/// What goes into a step: inputs of samples, augmented, and what they are trained towards.
struct Prepared {
  NetworkInput inputs;
  Targets targets;
};

/// A network whose head grows with the classes, an optimiser, augmentation and the training step, with the
/// loss terms and plug-ins that belong to it. Methods hold one.
class Trainer {
 public:
  /// The loss of a step, loss terms aside.
  using Loss = std::function<at::Tensor(const StepView&)>;

  Trainer(const LearnerSetup& setup, TrainerParts parts);

  const LearnerSetup& setup() const { return setup_; }
  const TrainOptions& options() const { return setup_.train; }
  Classifier& net() { return net_; }
  const Classifier& net() const { return net_; }
  const LabelMap& labels() const { return labels_; }
  int64_t classes_met() const { return labels_.size() - std::ssize(to_come_); }
  int64_t steps() const { return steps_; }  ///< taken, over the learner's life
  /// Changes whenever the network does.
  int64_t version() const { return version_; }
  /// Of the last step; NaN before the first.
  double last_loss() const { return last_loss_; }
  /// What plug-ins may look at.
  void show(const Memory* memory) { memory_ = memory; }

  /// Gives labels that are new a row of the head (the first ones with train.whole_head all that are known to
  /// come). Only labels that were met are ever predicted.
  void meet(std::span<const int64_t> labels);
  /// A new optimiser, and with train.reset_head a fresh head.
  void begin_task(int64_t task);
  /// Fresh weights everywhere and a new optimiser.
  void restart(int64_t task);

  /// One step: augmentation, CutMix, the cross-entropy to the batch's targets and all loss terms, the
  /// optimiser. Fewer than two samples are left out, since batch normalisation cannot use them.
  void step(const Samples& batch, double lr);
  /// The same towards these targets.
  void step(const Samples& batch, Targets targets, double lr);
  /// One step on inputs as they are, row i made of sample i, with a loss of the caller's making.
  void step(const Samples& batch, const NetworkInput& inputs, const Targets& targets, double lr,
            const Loss& loss);

  // The parts of a step, for those who make one of their own.
  /// Inputs and targets as step() has them: augmented, CutMix or mixup included.
  Prepared prepare(const Samples& batch, Targets targets) const {
    return prepare(batch, std::move(targets), augmentation_);
  }
  Prepared prepare(const Samples& batch, Targets targets, const Augmentation& how) const {
    return mixed(view(batch, how), std::move(targets), how);
  }
  /// Inputs alone, augmented; and inputs mixed, if `how` has it.
  NetworkInput view(const Samples& batch, const Augmentation& how) const;
  Prepared mixed(NetworkInput inputs, Targets targets, const Augmentation& how) const;
  /// The augmentation that step() uses.
  const Augmentation& augmentation() const { return augmentation_; }
  /// What comes out of the network in training, plug-ins included, and no step.
  Outputs forward(const Samples& batch, const NetworkInput& inputs);
  /// The gradients, added to those in place, of the loss towards these targets, loss terms included; gives
  /// it.
  double backward(const Samples& batch, const Prepared& made);
  /// What the loss terms add to the loss of a step.
  at::Tensor with_terms(const StepView& step, at::Tensor loss);
  /// A step along the gradients in place, `loss` having been their batch's.
  void apply(const Samples& batch, double loss, double lr);
  /// From now on batch normalisation goes by these in training.
  void go_by(Statistics statistics) { statistics_ = statistics; }

  /// One epoch over `data` in a fresh random order, learning rate by the schedule. Throws Interrupted when
  /// asked to stop; the same call then goes on at the step where it stopped.
  void epoch(const Samples& data, int64_t batch, int64_t number, const std::string& title,
             Progress& progress);
  /// The same over numbers 0 .. samples - 1, with a step of the caller's making on `batch` of them.
  void epoch(int64_t samples, int64_t batch, int64_t number, const std::string& title, Progress& progress,
             const std::function<void(std::span<const int64_t> rows, double lr)>& step_on);
  /// True when an epoch was interrupted and is yet to go on.
  bool inside_epoch() const { return order_.inside(); }
  /// The learning rate at a step of an epoch of a consolidation.
  double scheduled_lr(int64_t epoch, int64_t step, int64_t steps) const;
  /// B in the memory phase.
  int64_t memory_batch() const;

  /// From now on predictions are made so; null: by the head. Not part of the state.
  void read_by(std::shared_ptr<const Readout> readout) { readout_ = std::move(readout); }
  at::Tensor predict(const Samples& samples) const;
  /// The network as it is now, for any number of threads: a copy, so that learning may go on.
  std::shared_ptr<const Predictor> snapshot() const;
  /// The model alone, for `model.safetensors`.
  TensorFile model() const;

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  std::vector<ParameterGroup> groups() const;
  void fresh_optimiser();

  LearnerSetup setup_;
  TrainerParts parts_;
  std::vector<std::unique_ptr<Plugin>> plugins_;
  Augmentation augmentation_;
  LabelMap labels_;
  std::vector<int64_t> to_come_;  ///< rows of the head whose labels were not met yet
  Classifier net_;
  Optimiser optimiser_;
  EpochOrder order_;
  std::shared_ptr<const Readout> readout_;
  const Memory* memory_ = nullptr;
  Statistics statistics_ = Statistics::kOfBatch;
  int64_t steps_ = 0, version_ = 0;
  double last_loss_;
};

}  // namespace perennial
