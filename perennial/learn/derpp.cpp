#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"

namespace perennial {
namespace {

struct DerppOptions : OwnOptions {
  PolicyOptions policy;
  double alpha = 0.2, beta = 0.5;
  void bind(OptionTable& table) override {
    policy.bind(table, "derpp.");
    table.add("derpp.alpha", alpha, "weight of the distance to stored logits").range(0, 100);
    table.add("derpp.beta", beta, "weight of the labels of what is replayed; 0: DER").range(0, 100);
  }
  // Batches of 32 and two draws of 32 (digest 5); one pass, unless train.protocol says otherwise. The stored
  // logits are to say what a sample is not, too: classes that were to come among it.
  void adjust(TrainOptions& train) override {
    online_defaults(train);
    train.batch = 64;
    train.lr = 0.03;
    train.whole_head = true;
  }
};

constexpr const char* kLogits = "logits";  ///< ragged float: of each class that was known at the time

Samples with_logits(const Samples& samples, const at::Tensor& rows) {
  std::vector<int64_t> offsets{0};
  for (int64_t i = 0; i < samples.size(); ++i) offsets.push_back(offsets.back() + rows.size(1));
  return samples.with(kLogits, Column(rows.flatten(), std::move(offsets)));
}

/// Mean squared distance to the stored logits, over as many classes as each sample has some of.
at::Tensor distance(const at::Tensor& logits, const Column& stored) {
  const int64_t n = logits.size(0), classes = logits.size(1);
  at::Tensor there = at::zeros({n, classes}), wanted = at::zeros({n, classes});
  for (int64_t i = 0; i < n; ++i) {
    const at::Tensor row = stored.row(i);
    const int64_t known = std::min(classes, row.size(0));
    wanted[i].narrow(0, 0, known).copy_(row.narrow(0, 0, known));
    there[i].narrow(0, 0, known).fill_(1);
  }
  const at::Tensor squares = (logits - wanted.to(logits.device())).square() * there.to(logits.device());
  return squares.sum() / there.sum().clamp_min(1);
}

/// One step: stream, x' with its logits, x'' with its labels, all in one batch.
void dark_step(ReplayKit& kit, const Samples& batch, const DerppOptions& options) {
  Trainer& trainer = kit.trainer;
  const int64_t n = batch.size(), replayed = kit.replayed();
  std::vector<Samples> parts{batch};
  if (replayed > 0) parts.push_back(kit.rehearsal.draw(replayed));
  const int64_t first = replayed > 0 ? parts.back().size() : 0;
  if (replayed > 0 && options.beta > 0) parts.push_back(kit.rehearsal.draw(replayed));
  const Samples joined = concat(parts);
  if (joined.size() < 2) return;
  const NetworkInput inputs = trainer.view(joined, trainer.augmentation().unmixed());
  trainer.step(joined, inputs, Targets::of(joined, trainer.labels()), stream_lr(kit),
               [&](const StepView& view) {
                 at::Tensor loss = mean_of(view.losses(), 0, n);
                 if (first > 0 && options.alpha > 0)
                   loss = loss + options.alpha * distance(view.outputs.logits.narrow(0, n, first),
                                                          slice(joined.column(kLogits), n, first));
                 const int64_t second = joined.size() - n - first;
                 if (second > 0) loss = loss + options.beta * mean_of(view.losses(), n + first, second);
                 return loss;
               });
  kit.robust_follows(joined, stream_lr(kit));
}

/// The logits that are remembered are what the network says in training before it learns from the batch,
/// without plug-ins. By running statistics, which lag behind weights that move fast, they would grow from
/// batch to batch.
at::Tensor said_of(ReplayKit& kit, const Samples& batch) {
  Trainer& trainer = kit.trainer;
  if (batch.size() < 2) return kit.ask()(batch)->logits();
  return trainer.net().batch_statistics_logits(trainer.view(batch, trainer.augmentation().unmixed()));
}

/// The steps on a batch; gives it with its logits.
Samples learn_from(ReplayKit& kit, const Samples& batch, const DerppOptions& options) {
  const Samples kept = with_logits(batch, said_of(kit, batch));
  if (!is_trained(kit, batch)) return kept;
  for (int64_t i = 0; i < kit.trainer.options().updates; ++i) dark_step(kit, kept, options);
  return kept;
}

/// DER++ (Buzzega, Boschini, Porrello, Abati, Calderara: "Dark Experience for General Continual Learning",
/// NeurIPS 2020), equation 6.
ReplayParts dark_experience(const LearnerSetup& setup, const DerppOptions& options) {
  const bool as_they_arrive =
      options.policy.update == "arrival" && make_policy(options.policy, setup.seed)->online();
  if (setup.train.passes > 1 && !as_they_arrive)
    throw std::invalid_argument(
        "train.passes: more than one renews the logits of samples in memory, so that derpp.policy and "
        "derpp.update must let them in as they arrive");
  return {.policy = options.policy,
          .routine = std::make_unique<StreamThenMemory>(
              [options](ReplayKit& kit, const Samples& batch) { return learn_from(kit, batch, options); },
              /*remembers_more=*/true)};
}

}  // namespace

Method derpp_method() {
  return replay_method("derpp", "DER++", "Buzzega et al., NeurIPS 2020",
                       "holds the network to what it said of stored samples, and to their labels",
                       dark_experience);
}

}  // namespace perennial
