#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/online.h"
#include "perennial/nn/loss.h"

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

/// The classes that are not among those of rows [0, n): bool [classes].
at::Tensor absent(const at::Tensor& rows, int64_t n, const at::Tensor& logits) {
  return at::zeros({logits.size(1)}, at::kLong)
      .index_fill(0, rows.narrow(0, 0, n), 1)
      .eq(0)
      .to(logits.device());
}

/// Equation 3: what arrives competes only among the classes that arrive with it, so that it does not push the
/// others away; what is replayed competes among all.
at::Tensor asymmetric_loss(const StepView& view, int64_t streamed) {
  const at::Tensor &logits = view.outputs.logits, &rows = view.targets.rows;
  const at::Tensor own = logits.narrow(0, 0, streamed).masked_fill(absent(rows, streamed, logits), -1e9);
  const at::Tensor arriving = cross_entropy(own, rows.narrow(0, 0, streamed).to(logits.device()));
  const int64_t replayed = logits.size(0) - streamed;
  return replayed == 0 ? arriving : arriving + mean_of(view.losses(), streamed, replayed);
}

at::Tensor symmetric_loss(const StepView& view, int64_t streamed) {
  const int64_t replayed = view.batch.size() - streamed;
  const at::Tensor arriving = mean_of(view.losses(), 0, streamed);
  return replayed == 0 ? arriving : arriving + mean_of(view.losses(), streamed, replayed);
}

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
