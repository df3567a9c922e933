#include <fmt/format.h>

#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

/// Joint training: keeps everything and trains from scratch on all of it at every boundary. No memory bound:
/// the upper bound that the others are measured against.
class Joint : public ReplayLearner {
 public:
  Joint(const LearnerSetup& setup, const MethodOptions&) : ReplayLearner(setup, HeadKind::kLinearNorm, {}) {
    keep_task_ = true;
  }
  const Memory* memory() const override { return nullptr; }
  int64_t wanted() const override { return setup_.train.batch; }
  int64_t pieces() const override { return setup_.train.epochs; }
  int64_t epoch_of(int64_t i) const override { return i + 1; }
  std::string piece_name(int64_t i) const override {
    return fmt::format("epoch {}/{} on everything so far", i + 1, setup_.train.epochs);
  }
  void observe(const Samples& batch) override {
    receive(batch);
    task_chunks_.push_back(batch);
  }

 protected:
  void run_piece(int64_t i, Progress& progress) override {
    if (i == 0 && !inside_epoch()) {
      net_.reset(static_cast<uint64_t>(task_));
      fresh_optimiser();
    }
    timed("training", [&] { train_epoch(task_samples(), setup_.train.batch, i, progress); });
  }
};

}  // namespace

Method joint_method() {
  return method<MethodOptions, Joint>("joint", "Joint training", "upper bound",
                                      "keeps every sample and retrains on all of them: no bound on memory");
}

}  // namespace perennial
