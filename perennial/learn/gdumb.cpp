#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct GdumbOptions : MethodOptions {
  PolicyOptions policy{.name = "greedy_balanced", .of_rainbow = true};
  void bind(OptionTable& table) override { policy.bind(table, "gdumb."); }
  void adjust(TrainOptions& train) override { train.memory_batch = 16; }
};

/// Nothing but the memory is learned from, by a new network each time.
class FromScratch : public Routine {
 public:
  Choices choices() const override { return {.robust = true}; }
  void observe(ReplayKit& kit, const Samples& batch) override { kit.rehearsal.receive(batch, kit.ask()); }
  int64_t pieces(const ReplayKit& kit) const override { return 1 + kit.trainer.options().epochs; }
  Piece piece(const ReplayKit& kit, int64_t i) const override {
    return i == 0 ? Piece{"starting from scratch", 0} : memory_epoch_piece(kit, i - 1);
  }
  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    if (i > 0) return memory_epoch(kit, i - 1, progress);
    choose_memory(kit, progress);
    kit.trainer.restart(kit.task);
    if (kit.robust) kit.robust->restart(kit);
  }
};

/// GDumb (Prabhu, Torr, Dokania: "GDumb: A Simple Approach that Questions Our Progress in Continual
/// Learning", ECCV 2020): a greedy balanced memory; whenever a model is wanted it is trained from scratch on
/// the memory alone.
ReplayParts gdumb(const LearnerSetup&, const GdumbOptions& options) {
  return {.trainer = {.head = HeadKind::kLinearNorm, .augmentation = "cutmix"},
          .policy = options.policy,
          .routine = std::make_unique<FromScratch>()};
}

}  // namespace

Method gdumb_method() {
  return replay_method("gdumb", "GDumb", "Prabhu et al., ECCV 2020",
                       "greedy balanced memory, retrained from scratch at every boundary", gdumb);
}

}  // namespace perennial
