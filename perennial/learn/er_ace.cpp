#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"

namespace perennial {
namespace {

struct ErAceOptions : OwnOptions {
  PolicyOptions policy;
  bool asymmetric = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "er-ace.");
    table.add("er-ace.asymmetric", asymmetric,
              "what arrives is told apart among the classes of its batch only; false: experience replay");
  }
  void adjust(TrainOptions& train) override { online_defaults(train); }
};

/// ER-ACE (Caccia, Aljundi, Asadi, Tuytelaars, Pineau, Belilovsky: "New Insights on Reducing Abrupt
/// Representation Change in Online Continual Learning", ICLR 2022).
ReplayParts er_ace(const LearnerSetup&, const ErAceOptions& options) {
  return {.policy = options.policy,
          .routine = std::make_unique<StreamThenMemory>(
              [asymmetric = options.asymmetric](ReplayKit& kit, const Samples& batch) {
                return split_step(kit, batch, asymmetric ? asymmetric_loss : symmetric_loss);
              })};
}

}  // namespace

Method er_ace_method() {
  return replay_method("er-ace", "ER-ACE", "Caccia et al., ICLR 2022",
                       "experience replay whose new classes do not push the old ones away", er_ace);
}

}  // namespace perennial
