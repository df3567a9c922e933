#include <cmath>

#include <ATen/core/Tensor.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/memory_only.h"
#include "perennial/learn/two_values.h"
#include "perennial/memory/importance.h"

namespace perennial {
namespace {

struct ClibOptions : OwnOptions {
  bool importance = true, adaptive = true;
  double ema = 0.9, factor = 0.95;
  int64_t period = 1, trial = 10, history = 10;

  void bind(OptionTable& table) override {
    table.add("clib.importance", importance,
              "of the largest class the least important sample goes; false: reservoir sampling");
    table.add("clib.ema", ema, "how slowly importance changes").range(0, 0.9999);
    table.add("clib.period", period, "steps between two looks at the losses of the memory").range(1, 1e6);
    table.add("clib.adaptive", adaptive, "adaptive learning rate; false: train.lr");
    table.add("clib.factor", factor, "between the two rates that are tried in turn").range(0.1, 0.9999);
    table.add("clib.trial", trial, "looks at the losses during which a rate is tried").range(1, 1e6);
    table.add("clib.history", history, "trials of each rate that are compared").range(2, 1000);
  }
  // Batches of 16, for each batch of 8 that arrives (digest 5).
  void adjust(TrainOptions& train) override {
    train.protocol = "online";
    train.batch = 16;
    train.lr = 0.05;
  }
};

class Clib : public MemoryOnly {
 public:
  Clib(const LearnerSetup& setup, const ClibOptions& options, ImportanceMemory* memory)
      : options_(options),
        apart_(options.ema),
        memory_(memory == nullptr ? &apart_ : memory),
        rates_(setup.train.lr, options.factor, 1, options.factor, options.history, 1e3) {}

  // What an epoch does to the losses is no step's of the stream.
  void run(ReplayKit& kit, int64_t i, Progress& progress) override {
    MemoryOnly::run(kit, i, progress);
    if (i == 0) return;
    memory_->forget_losses();
    trained_.clear();
    gain_ = 0;
  }

  void save(State& state, const std::string& prefix) const override {
    state.put_ints(prefix + "trained", trained_);
    state.put(prefix + "steps", steps_);
    state.put(prefix + "looks", looks_);
    state.put(prefix + "gain", gain_);
    rates_.save(state, prefix + "rates.");
    apart_.save(state, prefix + "apart.");
  }
  void load(const State& state, const std::string& prefix, ReplayKit&) override {
    trained_ = state.ints(prefix + "trained");
    steps_ = state.value<int64_t>(prefix + "steps");
    looks_ = state.value<int64_t>(prefix + "looks");
    gain_ = state.value<double>(prefix + "gain");
    rates_.load(state, prefix + "rates.");
    apart_.load(state, prefix + "apart.");
  }

 private:
  double rate(const ReplayKit& kit) const override {
    return options_.adaptive ? rates_.value() : stream_lr(kit);
  }

  void stepped(ReplayKit& kit, const Samples& batch) override {
    trained_.insert(trained_.end(), batch.ids().begin(), batch.ids().end());
    if (++steps_ % options_.period != 0) return;
    const Memory& memory = kit.rehearsal.memory();
    const at::Tensor losses = kit.ask()(memory.samples())->losses().contiguous();
    const auto fall = memory_->trained_on(
        memory, trained_, {losses.const_data_ptr<float>(), static_cast<size_t>(losses.numel())});
    trained_.clear();
    if (fall && std::isfinite(*fall)) gain_ += *fall;
    if (++looks_ % options_.trial != 0) return;
    rates_.brought(gain_);
    gain_ = 0;
  }

  ClibOptions options_;
  ImportanceMemory apart_;    ///< follows the losses where another policy chooses
  ImportanceMemory* memory_;  ///< the policy, or that
  TwoValues rates_;
  std::vector<int64_t> trained_;  ///< ids in the steps since the last look
  int64_t steps_ = 0, looks_ = 0;
  double gain_ = 0;  ///< of the rate in turn, so far
};

/// CLIB (Koh, Kim, Ha, Choi: "Online Continual Learning on Class Incremental Blurry Task Configuration with
/// Anytime Inference", ICLR 2022): sample-wise importance (memory/importance.h), training on the memory
/// alone, a learning rate that is tried out.
ReplayParts clib(const LearnerSetup& setup, const ClibOptions& options) {
  ReplayParts parts;
  auto memory = options.importance ? std::make_unique<ImportanceMemory>(options.ema) : nullptr;
  parts.routine = std::make_unique<Clib>(setup, options, memory.get());
  parts.own_policy = std::move(memory);
  return parts;
}

}  // namespace

Method clib_method() {
  return replay_method("clib", "CLIB", "Koh et al., ICLR 2022",
                       "keeps what helps the memory's loss fall; trains on the memory alone", clib);
}

}  // namespace perennial
