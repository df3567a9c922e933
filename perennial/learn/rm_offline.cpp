#include <fmt/format.h>

#include "perennial/learn/builtin.h"
#include "perennial/learn/rm.h"

namespace perennial {
namespace {

/// Rainbow Memory, offline: the task's data may be revisited. The stream pass and the memory phase merge into
/// `epochs` epochs over the task with half of each batch from memory; then the selection.
class RainbowMemoryOffline : public RainbowMemory {
 public:
  RainbowMemoryOffline(const LearnerSetup& setup, const RmOptions& options) : RainbowMemory(setup, options) {
    keep_task_ = true;
  }
  std::string piece_name(int64_t i) const override {
    if (i == setup_.train.epochs) return "choosing what to remember";
    return fmt::format("epoch {}/{} on task and memory", i + 1, setup_.train.epochs);
  }
  int64_t epoch_of(int64_t i) const override { return i < setup_.train.epochs ? i + 1 : 0; }

 protected:
  void learn_from_stream(const Samples&) override {}
  void run_piece(int64_t i, Progress& progress) override {
    if (i < setup_.train.epochs)
      timed("task training", [&] { mixed_epoch(task_samples(), i, progress); });
    else
      timed("selection", [&] { remember(progress); });
  }

 private:
  void mixed_epoch(const Samples& task, int64_t epoch, Progress& progress) {
    const int64_t share = wanted(), replayed = setup_.train.batch - share;
    train_epoch(task.size(), share, epoch, progress, [&](std::span<const int64_t> rows) {
      const Samples own = take(task, rows);
      return replayed > 0 ? concat(own, draw(replayed)) : own;
    });
  }
};

}  // namespace

Method rm_offline_method() {
  return method<RmOptions, RainbowMemoryOffline>(
      "rm-offline", "Rainbow Memory (offline)", "Bang et al., CVPR 2021",
      "Rainbow Memory where each task's data may be revisited until its end");
}

}  // namespace perennial
