#include <fmt/format.h>

#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct FinetuneOptions : MethodOptions {
  bool revisit = true;
  void bind(OptionTable& table) override {
    table.add("finetune.revisit", revisit,
              "train `epochs` epochs on each task's own data after its stream pass");
  }
  // Without memory there is nothing to share a batch with: a task is trained on at full batch.
  void adjust(TrainOptions& train) override { train.replay_share = 0; }
};

/// The stream pass, then epochs over the task's own data if they may be revisited.
class TaskEpochs : public Routine {
 public:
  explicit TaskEpochs(bool revisit) : revisit_(revisit) {}
  void observe(ReplayKit& kit, const Samples& batch) override { stream_pass(kit, batch); }
  int64_t pieces(const ReplayKit& kit) const override { return revisit_ ? kit.trainer.options().epochs : 0; }
  Piece piece(const ReplayKit& kit, int64_t i) const override {
    return {fmt::format("epoch {}/{} on the task's data", i + 1, kit.trainer.options().epochs), i + 1};
  }
  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    kit.clock.timed("task training", [&] {
      kit.trainer.epoch(kit.rehearsal.task_samples(), kit.trainer.options().batch, i, piece(kit, i).name,
                        progress);
    });
  }

 private:
  bool revisit_;
};

/// Plain fine-tuning: trains on what arrives and remembers nothing.
ReplayParts finetune(const LearnerSetup&, const FinetuneOptions& options) {
  return {.keep_task = options.revisit,
          .routine = std::make_unique<TaskEpochs>(options.revisit),
          .has_memory = false,
          .end_task = [](ReplayKit& kit) { kit.rehearsal.forget_task(); }};
}

}  // namespace

Method finetune_method() {
  return replay_method("finetune", "Fine-tuning", "baseline",
                       "trains on what arrives and remembers nothing: the lower bound", finetune);
}

}  // namespace perennial
