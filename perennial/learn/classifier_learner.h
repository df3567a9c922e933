#pragma once

#include <span>

#include "perennial/data/augment.h"
#include "perennial/learn/label_map.h"
#include "perennial/learn/method.h"
#include "perennial/memory/epoch_order.h"

namespace perennial {

/// What all classifying learners share: a network whose head grows, an optimiser, augmentation, the training
/// step and the walk through the pieces of a consolidation. A method derives from it (or from ReplayLearner)
/// and says what its pieces are.
class ClassifierLearner : public Learner {
 public:
  /// `augmentation`: what "auto" adds to crop and flip for this method, for example "cutmix,autoaugment".
  ClassifierLearner(const LearnerSetup& setup, HeadKind head, const std::string& augmentation = "");

  int64_t wanted() const override { return setup_.train.batch; }
  bool consolidate(Progress& progress) final;
  at::Tensor predict(const Samples& samples) override;
  std::map<std::string, double> seconds() const override { return seconds_; }
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;
  TensorFile model() const override;

 protected:
  /// Does piece `i` of pieces().
  virtual void run_piece(int64_t i, Progress& progress) = 0;
  /// Called before the first sample of a task, and after its last piece.
  virtual void begin_task();
  virtual void end_task() {}
  /// Added to the cross-entropy of every step when defined (EWC's penalty).
  virtual at::Tensor penalty() { return {}; }

  /// To be called first by observe(): begins the task when it is new, gives new labels a row of the head.
  void receive(const Samples& batch);
  /// One step: augmentation, CutMix, cross-entropy plus penalty(), the optimiser. Fewer than two samples are
  /// left out, since batch normalisation cannot use them.
  void train_step(const Samples& batch, double lr);
  /// One epoch over `data` in a fresh random order, learning rate by the schedule.
  void train_epoch(const Samples& data, int64_t batch, int64_t epoch, Progress& progress);
  /// The same where a batch is made from `batch` rows of the `samples` that the epoch goes through. After an
  /// interruption it goes on at the step where it stopped.
  void train_epoch(int64_t samples, int64_t batch, int64_t epoch, Progress& progress,
                   const std::function<Samples(std::span<const int64_t>)>& batch_of);
  /// True when the piece that runs was interrupted inside an epoch and now goes on.
  bool inside_epoch() const { return order_.inside(); }
  /// The learning rate at a step of an epoch of this consolidation.
  double scheduled_lr(int64_t epoch, int64_t step, int64_t steps) const;
  void fresh_optimiser();
  /// B in the memory phase.
  int64_t memory_batch() const;
  /// Adds the time `work` takes, less what timed() inside it accounts for, to seconds()[kind].
  void timed(const std::string& kind, const std::function<void()>& work);

  LearnerSetup setup_;
  HeadKind head_kind_;
  Augmentation augmentation_;
  LabelMap labels_;
  Classifier net_;
  Optimiser optimiser_;
  int64_t task_ = 0;      ///< consolidations finished
  int64_t step_ = 0;      ///< training steps taken
  int64_t piece_ = 0;     ///< pieces of the current consolidation done
  bool in_task_ = false;  ///< a sample of the current task has arrived

 private:
  std::vector<ParameterGroup> parameter_groups() const;

  std::map<std::string, double> seconds_;
  double nested_seconds_ = 0;
  EpochOrder order_;
};

}  // namespace perennial
