#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "perennial/base/progress.h"
#include "perennial/data/source.h"
#include "perennial/io/state.h"
#include "perennial/learn/predictor.h"

namespace perennial {

class Evidence;
class Memory;

/// A model that keeps learning. A run feeds it a stream, lets it consolidate at boundaries, asks it to
/// predict, and saves it at any point between two calls. Nothing here says that it classifies: a segmenter's
/// targets are masks and its predictions mattes.
///
/// One thread at a time, predict() included; snapshots are for others.
class Learner : public Predictor {
 public:
  /// The task that begins, or that goes on after a state was loaded: the rows of `source` are its samples and
  /// can be had again until it ends. For learners that revisit them without keeping them.
  virtual void task_data(const std::shared_ptr<const Source>& /*source*/,
                         const std::vector<int64_t>& /*rows*/) {}
  /// How many stream samples the next observe() should bring; 0: none, the task's data are enough.
  virtual int64_t wanted() const = 0;
  /// Learns from samples as they arrive (and may keep them until consolidate()).
  virtual void observe(const Samples& batch) = 0;
  /// Does one piece of the work that is due at a task boundary or on a schedule: a selection, an epoch over
  /// memory. Returns true while more is due; the run may save, evaluate or stop between pieces. Throws
  /// Interrupted when progress asks to stop, in a state that can be saved and from which the same call goes
  /// on.
  virtual bool consolidate(Progress& progress) = 0;
  /// Pieces of work a consolidation has, and what piece `i` is, for people to read.
  virtual int64_t pieces() const = 0;
  virtual std::string piece_name(int64_t i) const = 0;
  /// Which epoch (from 1) piece `i` is; 0 when it trains nothing, as a selection does.
  virtual int64_t epoch_of(int64_t i) const { return i + 1; }

  /// What the learner knows now, immutable: any number of threads may use it while learning goes on.
  virtual std::shared_ptr<const Predictor> snapshot() const = 0;
  /// What can be known of samples (memory/evidence.h), which need labels only for losses; null when the
  /// learner tells nothing. Good until the learner learns on, and no longer than it lives.
  virtual std::shared_ptr<Evidence> evidence(const Samples&) { return nullptr; }

  /// The episodic memory, or null when it has none.
  virtual const Memory* memory() const { return nullptr; }
  /// What it takes the labels of samples in memory for, by id, if it doubts any: "clean", "relabelled",
  /// "unlabelled".
  virtual std::map<int64_t, std::string> verdicts() const { return {}; }
  /// Bytes of stream samples held beside the memory at the moment (candidates for the next selection).
  virtual int64_t candidate_bytes() const { return 0; }
  /// Seconds spent so far by kind of work ("stream", "uncertainty", "selection", "memory training").
  virtual std::map<std::string, double> seconds() const { return {}; }

  virtual void save(State& state, const std::string& prefix) const = 0;
  virtual void load(const State& state, const std::string& prefix) = 0;
  /// The model alone, for `model.safetensors`.
  virtual TensorFile model() const = 0;
};

}  // namespace perennial
