#include <fmt/format.h>

#include "perennial/learn/builtin.h"
#include "perennial/learn/rm.h"

namespace perennial {
namespace {

/// Epochs over the task's samples with half of each batch from memory, then the choice of who stays.
class MixedEpochs : public Routine {
 public:
  void observe(ReplayKit& kit, const Samples& batch) override { kit.rehearsal.receive(batch, kit.ask()); }
  int64_t pieces(const ReplayKit& kit) const override { return 1 + kit.trainer.options().epochs; }
  Piece piece(const ReplayKit& kit, int64_t i) const override {
    const int64_t epochs = kit.trainer.options().epochs;
    if (i == epochs) return {"choosing what to remember", 0};
    return {fmt::format("epoch {}/{} on task and memory", i + 1, epochs), i + 1};
  }
  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    if (i == kit.trainer.options().epochs) return choose_memory(kit, progress);
    kit.clock.timed("task training", [&] { mixed_epoch(kit, i, progress); });
  }

 private:
  void mixed_epoch(ReplayKit& kit, int64_t i, Progress& progress) {
    const Samples& task = kit.rehearsal.task_samples();
    const int64_t replayed = kit.replayed();
    kit.trainer.epoch(task.size(), kit.trainer.options().batch - replayed, i, piece(kit, i).name, progress,
                      [&](std::span<const int64_t> rows, double lr) {
                        const Samples own = take(task, rows);
                        kit.trainer.step(replayed > 0 ? concat(own, kit.rehearsal.draw(replayed)) : own, lr);
                      });
  }
};

/// Rainbow Memory, offline: the task's data may be revisited. The stream pass and the memory phase merge into
/// `epochs` epochs over the task with half of each batch from memory; then the selection.
ReplayParts rainbow_memory_offline(const LearnerSetup& setup, const RmOptions& options) {
  ReplayParts parts = rainbow_memory(setup, options);
  parts.routine = std::make_unique<MixedEpochs>();
  parts.keep_task = true;
  return parts;
}

}  // namespace

Method rm_offline_method() {
  return replay_method("rm-offline", "Rainbow Memory (offline)", "Bang et al., CVPR 2021",
                       "Rainbow Memory where each task's data may be revisited until its end",
                       rainbow_memory_offline);
}

}  // namespace perennial
