#include <ATen/ops/cat.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/perturbed_views.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct PuridiverOptions : MethodOptions {
  PolicyOptions policy{.name = "puridiver"};
  ViewOptions views;
  bool augment_stream = false, frozen_statistics = false;

  void bind(OptionTable& table) override {
    policy.bind(table, "puridiver.", true);
    views.bind(table, "puridiver.");
    table.add("puridiver.augment_stream", augment_stream,
              "augment what arrives as well, not only what is replayed beside it");
    table
        .add("puridiver.frozen_statistics", frozen_statistics,
             "once the memory is full, stream steps go by the running statistics of batch normalisation")
        .released("true");
  }
  // 255 epochs, to the end of a cycle of warm restarts; batches of 16 of the stream and 16 of the memory;
  // 0.001 in the stream pass (digest 2a).
  void adjust(TrainOptions& train) override {
    train.epochs = 255;
    train.batch = 32;
    train.memory_batch = 16;
    train.stream_lr_factor = 0.02;
    train.robust.name = "puridiver";
  }
  void adjust_as_released(TrainOptions& train) override {
    train.stream_lr_factor = 0.02;
    train.schedule = "warm_restarts";
    train.reset_head = false;
  }
};

/// Phase A, steps 1 and 2: what is replayed is augmented, what arrives is not; both are mixed.
Samples learn_from(ReplayKit& kit, const Samples& batch, const PuridiverOptions& options) {
  Trainer& trainer = kit.trainer;
  if (options.augment_stream && !options.frozen_statistics) return replay_step(kit, batch);
  if (!is_trained(kit, batch)) return batch;
  const Memory& memory = kit.rehearsal.memory();
  const bool full = memory.size() >= memory.capacity(batch);
  for (int64_t i = 0; i < trainer.options().updates; ++i) {
    const int64_t replayed = kit.replayed();
    if (batch.size() + replayed < 2) break;
    const Augmentation none, how = trainer.augmentation();
    NetworkInput inputs = trainer.view(batch, options.augment_stream ? how : none);
    Samples joined = batch;
    if (replayed > 0) {
      const Samples drawn = kit.rehearsal.draw(replayed);
      inputs.rows = at::cat({inputs.rows, trainer.view(drawn, how).rows});
      joined = concat(batch, drawn);
    }
    const Prepared made = trainer.mixed(std::move(inputs), Targets::of(joined, trainer.labels()), how);
    if (options.frozen_statistics && full) trainer.go_by(Statistics::kRunning);
    trainer.step(joined, made.inputs, made.targets, stream_lr(kit),
                 [](const StepView& view) { return view.targets.mean_loss(view.outputs.logits); });
    trainer.go_by(Statistics::kOfBatch);
    kit.robust_follows(joined, stream_lr(kit));
  }
  return batch;
}

/// PuriDivER (Bang, Koh, Park, Song, Ha, Choi: "Online Continual Learning on a Contaminated Data Stream with
/// Blurry Task Boundaries", CVPR 2022). Phase A: a stream pass after each step of which the memory is chosen
/// for purity and diversity (memory/puridiver.h). Phase B: epochs over the memory, which split it into clean,
/// relabelled and unlabelled samples (robust_puridiver.cpp). Both are choices of their own:
/// `puridiver.policy` and `robust`.
ReplayParts puridiver(const LearnerSetup& setup, const PuridiverOptions& options) {
  return {.trainer = {.head = HeadKind::kLinearNorm,
                      .augmentation = "cutmix,autoaugment",
                      .vector_augmentation = "dropout,strong_dropout,mixup"},
          .policy = options.policy,
          .views = options.views.make(setup.seed),
          .routine = std::make_unique<StreamThenMemory>(
              [options](ReplayKit& kit, const Samples& batch) { return learn_from(kit, batch, options); }),
          .replays_in_first_task = false};
}

}  // namespace

Method puridiver_method() {
  return replay_method("puridiver", "PuriDivER", "Bang et al., CVPR 2022",
                       "keeps what is probably labelled right and is diverse; relabels what it doubts",
                       puridiver);
}

}  // namespace perennial
