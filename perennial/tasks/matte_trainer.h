#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "perennial/io/state.h"
#include "perennial/memory/epoch_order.h"
#include "perennial/memory/replay_order.h"
#include "perennial/tasks/matte_data.h"
#include "perennial/tasks/matte_training.h"

namespace perennial {

/// Trains SINet's portrait network: stage after stage, epoch by epoch, resumable at every step.
class MatteTrainer {
 public:
  MatteTrainer(const MatteTrainOptions& options, uint64_t seed);

  /// Begins these stages, the first with a fresh optimiser. `mattes` give the class weights.
  void begin(std::vector<MatteStage> stages, const std::vector<Matte>& mattes);
  bool done() const { return stage_ == stages_.size(); }
  const MatteStage& stage() const { return stages_.at(stage_); }
  int64_t epoch() const { return epoch_; }          ///< of this stage, done
  double learning_rate() const;                     ///< of this epoch
  int64_t epochs_done() const { return trained_; }  ///< over all stages and data

  /// One epoch of the current stage over the first `fresh` mattes; half of every batch are drawn from the
  /// mattes behind them, if there are any (replay). Returns the mean loss. Throws Interrupted when asked to
  /// stop; the next call, with the same mattes, goes on at that step.
  double train_epoch(const std::vector<Matte>& mattes, size_t fresh, Progress& progress);

  Sinet& net() { return *net_; }
  const Sinet& net() const { return *net_; }

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  void begin_stage();
  double step(const std::vector<Matte>& mattes, const std::vector<int64_t>& rows);

  MatteTrainOptions options_;
  uint64_t seed_;
  std::unique_ptr<Sinet> net_;
  std::unique_ptr<Optimiser> optimiser_;
  std::vector<MatteStage> stages_;
  at::Tensor class_weights_;
  ReplayOrder replay_;
  size_t stage_ = 0;
  int64_t epoch_ = 0, trained_ = 0;
  int64_t steps_ = 0;  ///< taken, over everything
  EpochOrder order_;
  double loss_sum_ = 0;  ///< of the epoch, weighted by images
};

}  // namespace perennial
