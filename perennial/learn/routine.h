#pragma once

#include <functional>
#include <optional>
#include <string>

#include "perennial/learn/network_evidence.h"
#include "perennial/learn/rehearsal.h"
#include "perennial/learn/robust.h"

namespace perennial {

/// What a replay method works with. Its parts know nothing of each other.
struct ReplayKit {
  Trainer trainer;
  Rehearsal rehearsal;
  std::optional<Views> views;
  std::unique_ptr<RobustTraining> robust = {};  ///< of epochs over the memory; or none
  bool replays_in_first_task = true;
  WorkClock clock = {};
  int64_t task = 0;  ///< consolidations finished

  /// How many rows of a batch come from memory, once there is any.
  int64_t replayed() const;
  /// How many come from the stream.
  int64_t streamed() const;
  /// The trainer has taken a step of the stream pass on these: robust training may want to follow.
  void robust_follows(const Samples& batch, double lr);
  /// For policies: evidence of the network as it then is. `progress`: where it may be asked to stop.
  AskEvidence ask(Progress* progress = nullptr);
};

/// A piece of a consolidation.
struct Piece {
  std::string name;   ///< for people to read
  int64_t epoch = 0;  ///< from 1; 0 when it trains nothing
};

/// How a method spends its time: what it does with a batch of the stream, and the pieces of a consolidation.
class Routine {
 public:
  /// What users may choose with it.
  struct Choices {
    bool robust = false;  ///< train.robust: it trains epochs over the memory
    bool online = false;  ///< train.protocol = online
    bool passes = false;  ///< train.passes: it may go over a task's data again
  };

  virtual ~Routine() = default;
  virtual Choices choices() const { return {}; }
  /// How many samples the next observe() should bring.
  virtual int64_t wanted(const ReplayKit& kit) const;
  /// A batch of samples whose labels have their rows in the head.
  virtual void observe(ReplayKit& kit, const Samples& batch) = 0;
  virtual int64_t pieces(const ReplayKit& kit) const = 0;
  virtual Piece piece(const ReplayKit& kit, int64_t i) const = 0;
  /// Does piece `i`. Interrupted when asked to stop; the same call then goes on.
  virtual void run(ReplayKit& kit, int64_t i, Progress& progress) = 0;
  /// What it knows that the parts of the kit do not save, as how an epoch has split the memory.
  virtual void save(State&, const std::string& /*prefix*/) const {}
  /// The parts of the kit have been loaded before.
  virtual void load(const State&, const std::string& /*prefix*/, ReplayKit&) {}
};

/// Whether a batch of the stream is trained on: with train.drop_last not a task's last partial one.
bool is_trained(const ReplayKit& kit, const Samples& batch);
/// The rate of steps on the stream.
double stream_lr(const ReplayKit& kit);
/// train.updates training steps on a batch of the stream and what is replayed beside it. Gives what is to be
/// remembered: the batch.
Samples replay_step(ReplayKit& kit, const Samples& batch);
/// What is done with a batch of the stream; gives what is to be remembered of it.
using Learn = std::function<Samples(ReplayKit&, const Samples&)>;
/// Learns from a batch of the stream, then lets the memory have it.
void stream_pass(ReplayKit& kit, const Samples& batch, const Learn& learn = replay_step);
/// The end of a task for the memory.
void choose_memory(ReplayKit& kit, Progress& progress);
/// An epoch, from 0, over the memory alone, as `robust` trains it.
void memory_epoch(ReplayKit& kit, int64_t epoch, Progress& progress);
/// The same towards the labels as they are.
void plain_memory_epoch(ReplayKit& kit, int64_t epoch, Progress& progress);
/// Its name and number.
Piece memory_epoch_piece(const ReplayKit& kit, int64_t epoch);

/// The protocol of Rainbow Memory, which its comparisons share: a stream pass with a part of each batch from
/// memory (and with train.passes more of them over the task's data); at the boundary a choice of who stays,
/// then (unless train.protocol is online) epochs over the memory alone.
class StreamThenMemory final : public Routine {
 public:
  /// `remembers_more`: `learn` gives samples with something of its own, which later passes make anew.
  explicit StreamThenMemory(Learn learn = replay_step, bool remembers_more = false)
      : learn_(std::move(learn)), remembers_more_(remembers_more) {}
  Choices choices() const override { return {.robust = true, .online = true, .passes = true}; }
  void observe(ReplayKit& kit, const Samples& batch) override { stream_pass(kit, batch, learn_); }
  int64_t pieces(const ReplayKit& kit) const override;
  Piece piece(const ReplayKit& kit, int64_t i) const override;
  void run(ReplayKit& kit, int64_t i, Progress& progress) override;

 private:
  static int64_t more_passes(const ReplayKit& kit) { return kit.trainer.options().passes - 1; }
  void pass_again(ReplayKit& kit, int64_t i, Progress& progress);

  Learn learn_;
  bool remembers_more_;
};

/// The stream pass, then (if they may be revisited) epochs over the task's own data.
class TaskEpochs final : public Routine {
 public:
  explicit TaskEpochs(bool revisit) : revisit_(revisit) {}
  Choices choices() const override { return {.online = !revisit_}; }
  void observe(ReplayKit& kit, const Samples& batch) override { stream_pass(kit, batch); }
  int64_t pieces(const ReplayKit& kit) const override;
  Piece piece(const ReplayKit& kit, int64_t i) const override;
  void run(ReplayKit& kit, int64_t i, Progress& progress) override;

 private:
  bool revisit_;
};

/// The memory's samples that are not the present task's, which an online policy may have let in.
Samples earlier_samples(ReplayKit& kit);

/// Epochs over the task's samples and the memory's together, then the choice of who stays: for methods that
/// may revisit a task's data until its end.
class UnionEpochs : public Routine {
 public:
  void observe(ReplayKit& kit, const Samples& batch) override { kit.rehearsal.receive(batch, kit.ask()); }
  int64_t pieces(const ReplayKit& kit) const override { return 1 + kit.trainer.options().epochs; }
  Piece piece(const ReplayKit& kit, int64_t i) const override;
  void run(ReplayKit& kit, int64_t i, Progress& progress) override;

 protected:
  /// What an epoch goes over, and a step of it.
  virtual Samples epoch_samples(ReplayKit& kit);
  virtual void step(ReplayKit& kit, const Samples& batch, double lr) { kit.trainer.step(batch, lr); }

 private:
  Samples all_;  ///< of the present consolidation; made again when it is empty
};

}  // namespace perennial
