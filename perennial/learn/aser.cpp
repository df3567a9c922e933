#include "perennial/memory/aser.h"

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"

namespace perennial {
namespace {

struct AserOptions : OwnOptions {
  PolicyOptions policy{.name = "aser"};
  std::string score = "asvm";
  bool retrieve = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "aser.");
    table
        .add("aser.score", score,
             "of Shapley values for the memory and against the batch: the means (asvm), or the maximum and "
             "the "
             "minimum (asv)")
        .choices({"asvm", "asv"});
    table.add("aser.retrieve", retrieve, "replay by adversarial Shapley value; false: at random");
  }
  void adjust(TrainOptions& train) override { online_defaults(train); }
};

Samples replayed_by_value(ReplayKit& kit, const Samples& batch, int64_t count, const AserOptions& options) {
  const Memory& memory = kit.rehearsal.memory();
  if (!options.retrieve || memory.size() < memory.capacity(batch)) return kit.rehearsal.draw(count);
  const Random random(kit.trainer.setup().seed, "aser retrieval", static_cast<uint64_t>(kit.trainer.steps()));
  return memory.take(adversarial_rows(memory, batch, kit.ask(), count, options.policy.neighbours,
                                      options.score == "asvm", random));
}

/// ASER (Shim, Mai, Jeong, Sanner, Kim, Jang: "Online Class-Incremental Continual Learning with Adversarial
/// Shapley Value", AAAI 2021): one cross-entropy over stream and memory together.
ReplayParts adversarial_shapley(const LearnerSetup&, const AserOptions& options) {
  return {.policy = options.policy,
          .routine = std::make_unique<StreamThenMemory>([options](ReplayKit& kit, const Samples& batch) {
            if (!is_trained(kit, batch)) return batch;
            for (int64_t i = 0; i < kit.trainer.options().updates; ++i) {
              const int64_t count = kit.replayed();
              const Samples joined =
                  count > 0 ? concat(batch, replayed_by_value(kit, batch, count, options)) : batch;
              kit.trainer.step(joined, stream_lr(kit));
              kit.robust_follows(joined, stream_lr(kit));
            }
            return batch;
          })};
}

}  // namespace

Method aser_method() {
  return replay_method("aser", "Adversarial Shapley value", "Shim et al., AAAI 2021",
                       "replays what speaks for the memory and against the batch", adversarial_shapley);
}

}  // namespace perennial
