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
