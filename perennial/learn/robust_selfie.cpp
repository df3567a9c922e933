#include <set>

#include <ATen/TensorOperators.h>

#include "perennial/learn/robust_kinds.h"

namespace perennial {
namespace {

class SelfieTraining : public RobustTraining {
 public:
  explicit SelfieTraining(const LearnerSetup& setup) : options_(setup.train.robust) {}

  void epoch(ReplayKit& kit, int64_t epoch, Progress& progress) override {
    const Memory& memory = kit.rehearsal.memory();
    if (!kit.trainer.inside_epoch()) forget_all_but(memory.ids());
    kit.trainer.epoch(memory.size(), kit.trainer.memory_batch(), epoch, memory_epoch_piece(kit, epoch).name,
                      progress, [&](std::span<const int64_t> rows, double lr) {
                        step(kit.trainer, memory.take(rows), epoch >= options_.warmup, lr);
                      });
  }

  void begin_task(ReplayKit& kit) override {
    if (kit.trainer.options().reset_head) history_.clear();
  }
  void restart(ReplayKit&) override { history_.clear(); }

  std::map<int64_t, std::string> verdicts() const override {
    std::map<int64_t, std::string> all;
    for (const auto& [id, seen] : history_) all[id] = seen.replaced ? "relabelled" : "clean";
    return all;
  }

  void save(State& state, const std::string& prefix) const override {
    std::vector<int64_t> flat;
    for (const auto& [id, seen] : history_)
      flat.insert(flat.end(), {id, seen.row, seen.times, int64_t{seen.replaced}});
    state.put_ints(prefix + "history", flat);
  }
  void load(const State& state, const std::string& prefix) override {
    history_.clear();
    const std::vector<int64_t> flat = state.ints(prefix + "history");
    for (size_t i = 0; i + 3 < flat.size(); i += 4)
      history_[flat[i]] = {flat[i + 1], flat[i + 2], flat[i + 3] != 0};
  }

 private:
  struct Seen {
    int64_t row = -1, times = 0;  ///< what was predicted last, and how often running
    bool replaced = false;        ///< the label, in the last step on it
  };

  void forget_all_but(const std::vector<int64_t>& ids) {
    const std::set<int64_t> there(ids.begin(), ids.end());
    std::erase_if(history_, [&](const auto& entry) { return !there.contains(entry.first); });
  }

  void step(Trainer& trainer, const Samples& batch, bool robust, double lr) {
    if (batch.size() < 2) return;
    Targets targets = Targets::of(batch, trainer.labels());
    targets.rows = targets.rows.clone();
    auto* rows = targets.rows.mutable_data_ptr<int64_t>();
    for (int64_t i = 0; i < batch.size(); ++i) {
      Seen& seen = history_[batch.ids()[static_cast<size_t>(i)]];
      const bool sure = robust && seen.times >= options_.selfie_history;
      seen.replaced = sure && seen.row != rows[i];
      if (sure) rows[i] = seen.row;
    }
    const Prepared made = trainer.prepare(batch, std::move(targets));
    trainer.step(batch, made.inputs, made.targets, lr, [&](const StepView& view) {
      remember(batch, view.outputs.logits.argmax(1).cpu());
      return view.targets.mean_loss(view.outputs.logits);
    });
  }

  void remember(const Samples& batch, const at::Tensor& predicted) {
    const auto* rows = predicted.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < batch.size(); ++i) {
      Seen& seen = history_[batch.ids()[static_cast<size_t>(i)]];
      seen.times = seen.row == rows[i] ? seen.times + 1 : 1;
      seen.row = rows[i];
    }
  }

  RobustOptions options_;
  std::map<int64_t, Seen> history_;  ///< by id
};

}  // namespace

std::unique_ptr<RobustTraining> make_selfie(const LearnerSetup& setup) {
  return std::make_unique<SelfieTraining>(setup);
}

}  // namespace perennial
