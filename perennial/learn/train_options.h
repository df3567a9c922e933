#pragma once

#include <cstdint>
#include <string>

#include "perennial/learn/debias.h"
#include "perennial/learn/robust.h"
#include "perennial/nn/optimiser.h"

namespace perennial {

class OptionTable;

/// How a learner trains: shared by all methods. Defaults follow Rainbow Memory's protocol (CVPR 2021), but
/// for the schedule and the rate of the stream pass, which were measured (docs/results.md).
struct TrainOptions {
  std::string protocol = "two_phase";  ///< online: nothing is trained but in the stream pass
  int64_t epochs = 5;                  ///< over memory (or the task) at each consolidation
  int64_t updates = 1;                 ///< training steps on each batch of the stream
  int64_t passes = 1;                  ///< over a task's data, the stream pass among them
  int64_t batch = 16;                  ///< B, in the stream pass
  int64_t memory_batch = 0;            ///< in the memory phase; 0: half of B, as the paper's code does
  double lr = 0.05;
  double stream_lr_factor = 1;      ///< learning rate of the stream pass, as a factor on lr
  std::string schedule = "cosine";  ///< of the memory phase
  double replay_share = 0.5;        ///< of a stream batch that comes from memory once there is any
  bool drop_last = false;           ///< leave the last partial stream batch out of training
  bool whole_head = false;          ///< rows for all classes of the data from the start
  bool reset_head = false;          ///< a fresh head before each task
  std::string augment = "auto";     ///< auto: by method and data set
  OptimiserOptions optimiser;
  double weight_decay = 1e-4;
  RobustOptions robust;
  DebiasOptions debias;

  bool online() const { return protocol == "online"; }
  void bind(OptionTable& table);
};

}  // namespace perennial
