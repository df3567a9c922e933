#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct ErOptions : MethodOptions {
  PolicyOptions policy;
  void bind(OptionTable& table) override { policy.bind(table, "er."); }
};

}  // namespace

/// Experience replay (Chaudhry et al., "On Tiny Episodic Memories in Continual Learning", 2019): part of each
/// batch comes from a reservoir memory; then, in the protocol that Rainbow Memory compares in, epochs over
/// the memory.
Method er_method() {
  return {"er",
          "Experience replay",
          "Chaudhry et al., 2019",
          "mixes stream and memory; memory by reservoir sampling",
          [] { return std::make_unique<ErOptions>(); },
          [](const LearnerSetup& setup, const MethodOptions& options) -> std::unique_ptr<Learner> {
            return std::make_unique<ReplayLearner>(setup, HeadKind::kLinear,
                                                   dynamic_cast<const ErOptions&>(options).policy);
          }};
}

}  // namespace perennial
