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

/// Plain fine-tuning: trains on what arrives and remembers nothing.
class Finetune : public ReplayLearner {
 public:
  Finetune(const LearnerSetup& setup, const FinetuneOptions& options)
      : ReplayLearner(without_memory(setup), HeadKind::kLinear, {}) {
    keep_task_ = options.revisit;
  }
  const Memory* memory() const override { return nullptr; }
  int64_t pieces() const override { return keep_task_ ? setup_.train.epochs : 0; }
  int64_t epoch_of(int64_t i) const override { return i + 1; }
  std::string piece_name(int64_t i) const override {
    return fmt::format("epoch {}/{} on the task's data", i + 1, setup_.train.epochs);
  }

 protected:
  void run_piece(int64_t i, Progress& progress) override {
    timed("task training", [&] { train_epoch(task_samples(), setup_.train.batch, i, progress); });
  }
  void end_task() override { task_chunks_.clear(); }

 private:
  static LearnerSetup without_memory(LearnerSetup setup) {
    setup.memory = {0, 0};
    return setup;
  }
};

}  // namespace

Method finetune_method() {
  return method<FinetuneOptions, Finetune>("finetune", "Fine-tuning", "baseline",
                                           "trains on what arrives and remembers nothing: the lower bound");
}

}  // namespace perennial
