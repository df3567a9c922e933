#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct GdumbOptions : MethodOptions {
  PolicyOptions policy{.name = "greedy_balanced"};
  void bind(OptionTable& table) override { policy.bind(table, "gdumb."); }
  void adjust(TrainOptions& train) override { train.memory_batch = 16; }
};

/// GDumb (Prabhu, Torr, Dokania: "GDumb: A Simple Approach that Questions Our Progress in Continual
/// Learning", ECCV 2020): a greedy balanced memory; whenever a model is wanted it is trained from scratch on
/// the memory alone.
class Gdumb : public ReplayLearner {
 public:
  Gdumb(const LearnerSetup& setup, const GdumbOptions& options)
      : ReplayLearner(setup, HeadKind::kLinearNorm, options.policy, "cutmix") {}
  std::string piece_name(int64_t i) const override {
    return i == 0 ? "starting from scratch" : ReplayLearner::piece_name(i);
  }

 protected:
  void learn_from_stream(const Samples&) override {}
  void run_piece(int64_t i, Progress& progress) override {
    ReplayLearner::run_piece(i, progress);
    if (i > 0) return;
    net_.reset(static_cast<uint64_t>(task_));
    fresh_optimiser();
  }
};

}  // namespace

Method gdumb_method() {
  return method<GdumbOptions, Gdumb>("gdumb", "GDumb", "Prabhu et al., ECCV 2020",
                                     "greedy balanced memory, retrained from scratch at every boundary");
}

}  // namespace perennial
