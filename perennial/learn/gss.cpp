#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"

namespace perennial {
namespace {

struct GssOptions : OwnOptions {
  PolicyOptions policy{.name = "gss"};
  void bind(OptionTable& table) override { policy.bind(table, "gss."); }
  void adjust(TrainOptions& train) override { online_defaults(train); }
};

/// GSS-Greedy (memory/gss.h) over experience replay.
ReplayParts gradient_based_selection(const LearnerSetup&, const GssOptions& options) {
  return {.policy = options.policy};
}

}  // namespace

Method gss_method() {
  return replay_method("gss", "Gradient-based sample selection", "Aljundi et al., NeurIPS 2019",
                       "keeps samples whose gradients point different ways", gradient_based_selection);
}

}  // namespace perennial
