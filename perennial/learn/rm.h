#pragma once

#include <string>

#include "perennial/learn/replay_learner.h"

namespace perennial {

struct RmOptions : MethodOptions {
  PolicyOptions policy{.name = "rainbow"};
  std::string perturbation = "vr_randaug";
  int64_t views = kPerturbations;
  std::string uncertainty = "votes";
  bool first_task_random = false;
  double feature_dropout = 0.5;
  void bind(OptionTable& table) override;
};

/// Rainbow Memory, online (Bang, Kim, Yoo, Ha, Choi: "Rainbow Memory: Continual Learning with a Memory of
/// Diverse Samples", CVPR 2021). Per task: a stream pass with half of each batch from memory; the uncertainty
/// of every candidate from the votes of perturbed views (section 4.1); a memory of each class from certain to
/// uncertain (section 4.2); epochs over the memory with CutMix and AutoAugment (section 4.3).
ReplayParts rainbow_memory(const LearnerSetup& setup, const RmOptions& options);

}  // namespace perennial
