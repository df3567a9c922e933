#pragma once

#include <functional>
#include <optional>
#include <string>

#include "perennial/learn/network_evidence.h"
#include "perennial/learn/rehearsal.h"

namespace perennial {

/// What a replay method works with. Its parts know nothing of each other.
struct ReplayKit {
  Trainer trainer;
  Rehearsal rehearsal;
  std::optional<Views> views;
  WorkClock clock = {};
  int64_t task = 0;  ///< consolidations finished

  /// How many rows of a batch come from memory, once there is any.
  int64_t replayed() const;
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
  virtual ~Routine() = default;
  /// A batch of samples whose labels have their rows in the head.
  virtual void observe(ReplayKit& kit, const Samples& batch) = 0;
  virtual int64_t pieces(const ReplayKit& kit) const = 0;
  virtual Piece piece(const ReplayKit& kit, int64_t i) const = 0;
  /// Does piece `i`. Interrupted when asked to stop; the same call then goes on.
  virtual void run(ReplayKit& kit, int64_t i, Progress& progress) = 0;
  /// What it knows that the parts of the kit do not save, as how an epoch has split the memory.
  virtual void save(State&, const std::string& /*prefix*/) const {}
  virtual void load(const State&, const std::string& /*prefix*/) {}
};

/// One training step on a batch of the stream and what is replayed beside it (train.drop_last: unless it is a
/// task's last partial one). Gives what is to be remembered: the batch.
Samples replay_step(ReplayKit& kit, const Samples& batch);
/// What is done with a batch of the stream; gives what is to be remembered of it.
using Learn = std::function<Samples(ReplayKit&, const Samples&)>;
/// Learns from a batch of the stream, then lets the memory have it.
void stream_pass(ReplayKit& kit, const Samples& batch, const Learn& learn = replay_step);
/// The end of a task for the memory.
void choose_memory(ReplayKit& kit, Progress& progress);
/// An epoch, from 0, over the memory alone.
void memory_epoch(ReplayKit& kit, int64_t epoch, Progress& progress);
/// Its name and number.
Piece memory_epoch_piece(const ReplayKit& kit, int64_t epoch);

/// The protocol of Rainbow Memory, which its comparisons share: a stream pass with a part of each batch from
/// memory; at the boundary a choice of who stays, then epochs over the memory alone.
class StreamThenMemory final : public Routine {
 public:
  explicit StreamThenMemory(Learn learn = replay_step) : learn_(std::move(learn)) {}
  void observe(ReplayKit& kit, const Samples& batch) override { stream_pass(kit, batch, learn_); }
  int64_t pieces(const ReplayKit& kit) const override;
  Piece piece(const ReplayKit& kit, int64_t i) const override;
  void run(ReplayKit& kit, int64_t i, Progress& progress) override;

 private:
  Learn learn_;
};

}  // namespace perennial
