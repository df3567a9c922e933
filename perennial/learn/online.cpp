#include "perennial/learn/online.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "perennial/nn/loss.h"

namespace perennial {
namespace {

/// The classes that are not among those of rows [0, n): bool [classes].
at::Tensor absent(const at::Tensor& rows, int64_t n, const at::Tensor& logits) {
  return at::zeros({logits.size(1)}, at::kLong)
      .index_fill(0, rows.narrow(0, 0, n), 1)
      .eq(0)
      .to(logits.device());
}

}  // namespace

void online_defaults(TrainOptions& train) {
  train.protocol = "online";
  train.batch = 20;
  train.lr = 0.1;
  train.optimiser.momentum = 0;
  train.optimiser.nesterov = false;
  train.weight_decay = 0;
}

Samples split_step(ReplayKit& kit, const Samples& batch, const SplitLoss& loss) {
  if (!is_trained(kit, batch)) return batch;
  Trainer& trainer = kit.trainer;
  for (int64_t i = 0; i < trainer.options().updates; ++i) {
    const int64_t replayed = kit.replayed();
    const Samples joined = replayed > 0 ? concat(batch, kit.rehearsal.draw(replayed)) : batch;
    if (joined.size() < 2) break;
    const NetworkInput inputs = trainer.view(joined, trainer.augmentation().unmixed());
    trainer.step(joined, inputs, Targets::of(joined, trainer.labels()), stream_lr(kit),
                 [&](const StepView& view) { return loss(view, batch.size()); });
    kit.robust_follows(joined, stream_lr(kit));
  }
  return batch;
}

at::Tensor asymmetric_loss(const StepView& view, int64_t streamed) {
  const at::Tensor &logits = view.outputs.logits, &rows = view.targets.rows;
  const at::Tensor own = logits.narrow(0, 0, streamed).masked_fill(absent(rows, streamed, logits), -1e9);
  const at::Tensor arriving = cross_entropy(own, rows.narrow(0, 0, streamed).to(logits.device()));
  const int64_t replayed = logits.size(0) - streamed;
  return replayed == 0 ? arriving : arriving + mean_of(view.losses(), streamed, replayed);
}

at::Tensor symmetric_loss(const StepView& view, int64_t streamed) {
  const int64_t replayed = view.batch.size() - streamed;
  const at::Tensor arriving = mean_of(view.losses(), 0, streamed);
  return replayed == 0 ? arriving : arriving + mean_of(view.losses(), streamed, replayed);
}

}  // namespace perennial
