#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perennial/learn/label_map.h"
#include "perennial/memory/policy.h"
#include "perennial/memory/replay_order.h"

namespace perennial {

/// What of the stream is kept to be learned again: the memory and its policy, the samples of the present task
/// as long as they are still to be chosen among, and which samples are replayed next.
class Rehearsal {
 public:
  /// `after_pass`: an online policy is offered a task's samples at its end, not as they arrive.
  Rehearsal(const MemoryBudget& budget, std::unique_ptr<Policy> policy, bool after_pass, uint64_t seed);

  const Memory& memory() const { return memory_; }
  /// The next `count` samples to replay, or as many as there are: each once before any comes again.
  Samples draw(int64_t count);

  /// A batch of the stream, once it has been learned from: offered to an online policy, kept for others.
  void receive(const Samples& batch, const AskEvidence& ask);
  /// A batch that has been learned from again: those of it that are in memory are remembered anew
  /// (should they take more bytes than before, others may have to go).
  void renew(const Samples& batch);
  /// A batch that is kept till the task's end, and not offered to the policy.
  void keep(const Samples& batch);
  /// The end of a task: the policy's choice, or what an online one has not been offered yet. The samples of
  /// the task are forgotten.
  void choose(int64_t task, const AskEvidence& ask);

  /// Whether the samples of the task are kept till its end, which the policy decides unless it is said here.
  void keep_task(bool keep) { keep_task_ = keep; }
  /// In one piece from then on.
  const Samples& task_samples();
  void forget_task() { task_.clear(); }
  int64_t task_bytes() const;

  /// Whether the memory changes as samples arrive, so that nothing is chosen at a task's end.
  bool after_pass() const { return after_pass_; }
  bool as_they_arrive() const { return policy_->online() && !after_pass_; }

  void save(State& state, const std::string& prefix) const;
  /// Error when there are samples of labels that are not known.
  void load(const State& state, const std::string& prefix, const LabelMap& labels);

 private:
  void select(int64_t task, const AskEvidence& ask);

  uint64_t seed_;
  Memory memory_;
  std::unique_ptr<Policy> policy_;
  ReplayOrder replay_;
  bool after_pass_, keep_task_;
  std::vector<Samples> task_;
};

}  // namespace perennial
