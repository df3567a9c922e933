#pragma once

#include <vector>

#include "perennial/learn/replay_learner.h"

namespace perennial {

/// What the comparisons of online replay methods share (Mai et al., "Online continual learning in image
/// classification: An empirical survey", 2022, and its public suite): one pass, ten samples of the stream and
/// ten of the memory in each step, plain SGD at 0.1 without decay.
void online_defaults(TrainOptions& train);

/// Loss of rows [begin, begin + count) of a step.
inline at::Tensor mean_of(const at::Tensor& losses, int64_t begin, int64_t count) {
  return losses.narrow(0, begin, count).mean();
}

/// A batch of the stream and one of the memory in one training step, without mixing, and a loss of the
/// method's making: `loss(view, n)`, n being how many rows are the stream's. train.updates times.
using SplitLoss = std::function<at::Tensor(const StepView& view, int64_t streamed)>;
Samples split_step(ReplayKit& kit, const Samples& batch, const SplitLoss& loss);

/// Equation 3 of ER-ACE (Caccia et al., ICLR 2022): what arrives competes only among the classes that arrive
/// with it, so that it does not push the others away; what is replayed competes among all.
at::Tensor asymmetric_loss(const StepView& view, int64_t streamed);
/// The sum of the means of both parts.
at::Tensor symmetric_loss(const StepView& view, int64_t streamed);

}  // namespace perennial
