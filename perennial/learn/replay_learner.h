#pragma once

#include "perennial/learn/classifier_learner.h"
#include "perennial/memory/policy.h"
#include "perennial/memory/replay_order.h"

namespace perennial {

/// A classifier with an episodic memory, in the protocol of Rainbow Memory: a stream pass in which part of
/// each batch is replayed from memory, then at the boundary a selection by the policy and epochs over the
/// memory alone. Experience replay is this and nothing more; other methods change a step of it.
class ReplayLearner : public ClassifierLearner {
 public:
  ReplayLearner(const LearnerSetup& setup, HeadKind head, const PolicyOptions& policy,
                const std::string& augmentation = "");

  int64_t wanted() const override;
  void observe(const Samples& batch) override;
  int64_t pieces() const override { return 1 + setup_.train.epochs; }
  std::string piece_name(int64_t i) const override;
  int64_t epoch_of(int64_t i) const override { return i; }
  const Memory* memory() const override { return &memory_; }
  int64_t candidate_bytes() const override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

 protected:
  void run_piece(int64_t i, Progress& progress) override;
  /// One training step on stream samples (with replay), if this method trains on the stream.
  virtual void learn_from_stream(const Samples& batch);
  /// Variation ratio or the like of each sample, for policies that ask. Throws std::logic_error by default.
  virtual std::vector<float> uncertainty(const Samples& samples, Progress& progress);
  /// What a task's end does to the memory: an offline policy's choice, or what an online one has not been
  /// offered yet. Forgets the task's samples.
  void remember(Progress& progress);
  /// The policy's choice among the task's samples and the memory's; forgets the candidates.
  virtual void select(Policy& policy, Progress& progress);

  Samples draw(int64_t count);
  /// The samples of the task so far, when they are kept; in one piece from then on.
  const Samples& task_samples();

  Memory memory_;
  std::unique_ptr<Policy> policy_;
  ReplayOrder replay_;
  bool after_pass_ = false;  ///< an online policy is offered the task's samples at its end
  bool keep_task_ = false;   ///< keep the samples of the task until the boundary
  std::vector<Samples> task_chunks_;
};

}  // namespace perennial
