#include <fmt/format.h>

#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

/// Everything that ever arrived is kept, and learned by a new network at every boundary.
class EverythingAgain : public Routine {
 public:
  void observe(ReplayKit& kit, const Samples& batch) override { kit.rehearsal.keep(batch); }
  int64_t pieces(const ReplayKit& kit) const override { return kit.trainer.options().epochs; }
  Piece piece(const ReplayKit& kit, int64_t i) const override {
    return {fmt::format("epoch {}/{} on everything so far", i + 1, kit.trainer.options().epochs), i + 1};
  }
  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    if (i == 0 && !kit.trainer.inside_epoch()) kit.trainer.restart(kit.task);
    kit.clock.timed("training", [&] {
      kit.trainer.epoch(kit.rehearsal.task_samples(), kit.trainer.options().batch, i, piece(kit, i).name,
                        progress);
    });
  }
};

/// Joint training: keeps everything and trains from scratch on all of it at every boundary. No memory bound:
/// the upper bound that the others are measured against.
ReplayParts joint(const LearnerSetup&, const MethodOptions&) {
  return {.trainer = {.head = HeadKind::kLinearNorm},
          .routine = std::make_unique<EverythingAgain>(),
          .has_memory = false};
}

}  // namespace

Method joint_method() {
  return replay_method("joint", "Joint training", "upper bound",
                       "keeps every sample and retrains on all of them: no bound on memory", joint);
}

}  // namespace perennial
