#include "perennial/base/random.h"
#include "perennial/learn/robust_kinds.h"

namespace perennial {
namespace {

LearnerSetup drawn_again(LearnerSetup setup) {
  setup.seed = mix64(setup.seed, 2);
  setup.on_step = {};
  return setup;
}

// Penalties are on the learner's own weights, and so is what follows them.
TrainerParts without_terms(TrainerParts parts) {
  parts.terms.clear();
  parts.after_step = {};
  return parts;
}

}  // namespace

SecondNetwork::SecondNetwork(const LearnerSetup& setup, const TrainerParts& parts)
    : second_(drawn_again(setup), without_terms(parts)) {}

void SecondNetwork::streamed(ReplayKit& kit, const Samples& batch, double lr) {
  second_.show(&kit.rehearsal.memory());
  second_.step(batch, lr);
}

}  // namespace perennial
