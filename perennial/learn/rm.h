#pragma once

#include "perennial/learn/perturbed_views.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {

struct RmOptions : MethodOptions {
  PolicyOptions policy{.name = "rainbow", .of_rainbow = true};
  ViewOptions views;
  bool first_task_random = false;
  void bind(OptionTable& table) override;
};

/// Rainbow Memory, online (Bang, Kim, Yoo, Ha, Choi: "Rainbow Memory: Continual Learning with a Memory of
/// Diverse Samples", CVPR 2021). Per task: a stream pass with half of each batch from memory; the uncertainty
/// of every candidate from the votes of perturbed views (section 4.1); a memory of each class from certain to
/// uncertain (section 4.2); epochs over the memory with CutMix and AutoAugment (section 4.3).
ReplayParts rainbow_memory(const LearnerSetup& setup, const RmOptions& options);

}  // namespace perennial
