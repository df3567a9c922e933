#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "perennial/base/progress.h"
#include "perennial/io/state.h"

namespace perennial {

class OptionTable;
class Samples;
class Trainer;
struct LearnerSetup;
struct ReplayKit;
struct TrainerParts;

/// How epochs over a memory are trained where labels may be wrong. Options of all kinds: one table serves
/// every replay learner.
struct RobustOptions {
  std::string name = "none";
  int64_t warmup = 10;                       ///< epochs of a consolidation that are trained plainly before
  bool swap = false, raw_posterior = false;  ///< of puridiver
  int64_t selfie_history = 5;
  double coteaching_rate = 0.2;
  int64_t coteaching_epochs = 10;
  double dividemix_temperature = 0.5, dividemix_alpha = 4, dividemix_weight = 25;
  int64_t dividemix_ramp = 16;
  bool dividemix_asymmetric = false, dividemix_both = true;

  void bind(OptionTable& table);
};

/// Trains epochs over the memory of a replay learner, instead of plain cross-entropy to the labels.
class RobustTraining {
 public:
  virtual ~RobustTraining() = default;
  /// Epoch `epoch` (from 0) of a consolidation. Interrupted when asked to stop; the same call then goes on.
  virtual void epoch(ReplayKit& kit, int64_t epoch, Progress& progress) = 0;
  /// The learner's network has taken a step on these samples of the stream (and of the memory): a second one
  /// follows.
  virtual void streamed(ReplayKit&, const Samples& /*batch*/, double /*lr*/) {}
  /// The learner's network has met these labels.
  virtual void meet(std::span<const int64_t> /*labels*/) {}
  /// A task begins; or the learner's network starts from nothing.
  virtual void begin_task(ReplayKit&) {}
  virtual void restart(ReplayKit&) {}
  /// Who predicts together with the learner's network, in equal parts; or null.
  virtual const Trainer* partner() const { return nullptr; }
  /// As Learner::verdicts(), of the last epoch.
  virtual std::map<int64_t, std::string> verdicts() const { return {}; }
  virtual void save(State& state, const std::string& prefix) const = 0;
  virtual void load(const State& state, const std::string& prefix) = 0;
};

/// none (null) | selfie | coteaching | dividemix | puridiver, as `setup.train.robust` says. `parts`: of the
/// learner's own trainer.
std::unique_ptr<RobustTraining> make_robust(const LearnerSetup& setup, const TrainerParts& parts);
std::vector<std::string> robust_names();

}  // namespace perennial
