#include "perennial/learn/online.h"

namespace perennial {

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
    if (kit.robust) kit.robust->streamed(kit, joined, stream_lr(kit));
  }
  return batch;
}

}  // namespace perennial
