#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "perennial/base/options.h"
#include "perennial/base/random.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"
#include "perennial/learn/sgd_ahead.h"

namespace perennial {
namespace {

struct MirOptions : OwnOptions {
  PolicyOptions policy;
  int64_t candidates = 50;
  bool interfered = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "mir.");
    table.add("mir.candidates", candidates, "random samples of the memory that are looked at").range(1, 1e6);
    table.add("mir.interfered", interfered,
              "replay those that the step on the stream would harm most; false: random ones");
  }
  void adjust(TrainOptions& train) override { online_defaults(train); }
};

at::Tensor losses_of(const Classifier& net, const Samples& samples, const LabelMap& labels) {
  return at::cross_entropy_loss(net.logits(samples), labels.rows(samples.tensor(column::kLabel)), {},
                                at::Reduction::None);
}

/// The candidates whose loss would rise most if a plain step followed the gradients in place.
Samples most_interfered(ReplayKit& kit, int64_t count, const MirOptions& options) {
  Trainer& trainer = kit.trainer;
  const Memory& memory = kit.rehearsal.memory();
  const Random random(trainer.setup().seed, "mir", static_cast<uint64_t>(trainer.steps()));
  std::vector<int64_t> rows = permutation(memory.size(), random);
  rows.resize(std::min<size_t>(rows.size(), static_cast<size_t>(std::max(count, options.candidates))));
  const Samples candidates = memory.take(rows);
  const at::Tensor now = losses_of(trainer.net(), candidates, trainer.labels());
  at::Tensor then;
  {
    const SgdAhead ahead(trainer.net(), stream_lr(kit));
    then = losses_of(trainer.net(), candidates, trainer.labels());
  }
  const at::Tensor worst = (then - now).argsort(/*stable=*/true, 0, true).contiguous();
  const auto* place = worst.const_data_ptr<int64_t>();
  return take(candidates, std::span(place, static_cast<size_t>(std::min<int64_t>(count, candidates.size()))));
}

/// The gradient of the stream's loss is in place when the memory is asked; that of what is replayed is added.
void interfered_step(ReplayKit& kit, const Samples& batch, const MirOptions& options) {
  Trainer& trainer = kit.trainer;
  const auto backward = [&](const Samples& samples) {
    return trainer.backward(samples, trainer.prepare(samples, Targets::of(samples, trainer.labels()),
                                                     trainer.augmentation().unmixed()));
  };
  double loss = backward(batch);
  const int64_t replayed = kit.replayed();
  Samples joined = batch;
  if (replayed >= 2) {
    const Samples drawn = most_interfered(kit, replayed, options);
    if (drawn.size() >= 2) loss += backward(drawn), joined = concat(batch, drawn);
  }
  trainer.apply(joined, loss, stream_lr(kit));
  kit.robust_follows(joined, stream_lr(kit));
}

/// Maximally interfered retrieval (Aljundi, Caccia, Belilovsky, Caccia, Lin, Charlin, Tuytelaars: "Online
/// Continual Learning with Maximal Interfered Retrieval", NeurIPS 2019), ER-MIR.
ReplayParts mir(const LearnerSetup&, const MirOptions& options) {
  return {.policy = options.policy,
          .routine = std::make_unique<StreamThenMemory>([options](ReplayKit& kit, const Samples& batch) {
            if (!options.interfered || batch.size() < 2) return replay_step(kit, batch);
            if (is_trained(kit, batch))
              for (int64_t i = 0; i < kit.trainer.options().updates; ++i)
                interfered_step(kit, batch, options);
            return batch;
          })};
}

}  // namespace

Method mir_method() {
  return replay_method("mir", "Maximally interfered retrieval", "Aljundi et al., NeurIPS 2019",
                       "replays what the step on the stream would harm most", mir);
}

}  // namespace perennial
