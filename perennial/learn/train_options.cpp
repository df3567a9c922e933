#include "perennial/learn/train_options.h"

#include "perennial/base/options.h"
#include "perennial/data/augment.h"

namespace perennial {

void TrainOptions::bind(OptionTable& table) {
  table
      .add("train.protocol", protocol,
           "two_phase: a stream pass, then epochs over memory at each task's end; online: the stream pass "
           "alone, so that the model is as good at any time as it gets")
      .choices({"two_phase", "online"});
  table.add("train.updates", updates, "training steps on each batch of the stream").range(1, 1000);
  table
      .add("train.passes", passes,
           "passes over each task's data, with replay: more than one keeps the data until the task's end, as "
           "offline protocols do (Mammoth's tables: 50)")
      .range(1, 100000);
  table.add("epochs", epochs, "epochs over memory (or the task's data) at each consolidation")
      .range(0, 100000);
  table.add("batch", batch, "batch size of the stream pass").range(2, 65536);
  table.add("train.memory_batch", memory_batch, "batch size of the memory phase; 0: half of batch")
      .range(0, 65536);
  table.add("train.lr", lr, "learning rate").range(0, 100);
  table.add("train.stream_lr_factor", stream_lr_factor, "factor on lr during the stream pass")
      .range(0, 10)
      .released("0.1");
  table
      .add("train.schedule", schedule,
           "of the memory phase: one cosine to zero, SGDR, x0.1 at 30/60/80/90, or none")
      .choices({"cosine", "warm_restarts", "rainbow_warm_restarts", "multistep", "constant"})
      .released("rainbow_warm_restarts");
  table.add("train.replay_share", replay_share, "share of a stream batch drawn from memory").range(0, 0.95);
  table.add("train.drop_last", drop_last, "do not train on the last partial batch of a task")
      .released("true");
  table.add(
      "train.whole_head", whole_head,
      "the classifier has every class of the data from the start, and learns that the others are not what "
      "it sees; false: it grows as classes arrive");
  table.add("train.reset_head", reset_head, "throw the classifier away before each task").released("true");
  table.add("train.augment", augment, "auto | none | a list of " + Augmentation::names());
  optimiser.bind(table, "train.");
  table.add("train.weight_decay", weight_decay, "sgd, adam: added to the gradient; adamw: decoupled")
      .range(0, 1);
  robust.bind(table);
  debias.bind(table);
}

}  // namespace perennial
