#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "perennial/learn/method.h"
#include "perennial/memory/epoch_order.h"
#include "perennial/memory/memory.h"
#include "perennial/memory/policy.h"
#include "perennial/memory/replay_order.h"
#include "perennial/tasks/segment/matte_config.h"
#include "perennial/tasks/segment/matte_data.h"

namespace perennial {

/// SINet's portrait network, or ExtremeC3, learning mattes: stage after stage, epoch by epoch, resumable at
/// every step. The first task takes the paper's stages, each later one (new people, new rooms) an update, in
/// which half of every batch is replayed from a memory of photographs of all that came before.
class MatteLearner : public Learner {
 public:
  MatteLearner(const MatteConfig& config, std::function<void(const TrainingStep&)> on_step);

  void task_data(const std::shared_ptr<const Source>& source, const std::vector<int64_t>& rows) override;
  int64_t wanted() const override { return 0; }
  void observe(const Samples& /*batch*/) override {}
  bool consolidate(Progress& progress) override;
  int64_t pieces() const override;
  std::string piece_name(int64_t i) const override;
  /// samples: column image, uint8 [N, 3, side, side] at the network's side. uint8 [N, side, side].
  at::Tensor predict(const Samples& samples) const override;
  std::shared_ptr<const Predictor> snapshot() const override;
  const Memory* memory() const override { return &memory_; }
  std::map<std::string, double> seconds() const override { return {{"training", seconds_}}; }
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;
  TensorFile model() const override;

  Sinet& net() { return *net_; }
  const Sinet& net() const { return *net_; }
  double loss() const { return loss_; }  ///< mean of the last epoch

 private:
  std::vector<MatteStage> stages_of_task() const;
  const MatteStage& stage() const { return stages_.at(stage_); }
  bool trained() const { return stage_ == stages_.size(); }
  void begin_task();
  void begin_stage();
  void train_epoch(Progress& progress);
  double step(std::span<const int64_t> fresh);
  void remember();

  MatteConfig config_;
  uint64_t seed_;
  std::function<void(const TrainingStep&)> on_step_;
  std::unique_ptr<Sinet> net_;
  std::unique_ptr<Optimiser> optimiser_;
  Memory memory_;
  std::unique_ptr<Policy> policy_;
  std::shared_ptr<const Source> source_;
  std::vector<int64_t> rows_;  ///< of the source: the task's

  int64_t task_ = 0;      ///< finished
  bool in_task_ = false;  ///< stages have begun
  std::vector<MatteStage> stages_;
  at::Tensor class_weights_;
  ReplayOrder replay_;
  size_t stage_ = 0;
  int64_t epoch_ = 0;   ///< of the stage, done
  int64_t epochs_ = 0;  ///< over all stages and tasks
  int64_t steps_ = 0;   ///< taken, over everything
  EpochOrder order_;
  double loss_sum_ = 0;  ///< of the epoch, weighted by images
  double loss_ = 0, seconds_ = 0;
};

}  // namespace perennial
