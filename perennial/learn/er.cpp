#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct ErOptions : MethodOptions {
  PolicyOptions policy{.of_rainbow = true};
  void bind(OptionTable& table) override { policy.bind(table, "er."); }
};

/// Experience replay (Chaudhry et al., "On Tiny Episodic Memories in Continual Learning", 2019): part of each
/// batch comes from a reservoir memory; then, in the protocol that Rainbow Memory compares in, epochs over
/// the memory.
ReplayParts experience_replay(const LearnerSetup&, const ErOptions& options) {
  return {.policy = options.policy};
}

}  // namespace

Method er_method() {
  return replay_method("er", "Experience replay", "Chaudhry et al., 2019",
                       "mixes stream and memory; memory by reservoir sampling", experience_replay);
}

}  // namespace perennial
