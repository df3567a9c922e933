#include "perennial/base/options.h"
#include "perennial/learn/averaged_weights.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/memory_only.h"
#include "perennial/learn/perturbed_views.h"

namespace perennial {
namespace {

struct EvergreenOptions : OwnOptions {
  PolicyOptions policy{.name = "spread", .refresh = 16};
  ViewOptions views{.views = 4, .uncertainty = "confidence"};
  std::string training = "asymmetric";
  double average = 0.99;
  void bind(OptionTable& table) override {
    policy.bind(table, "evergreen.", true);
    views.bind(table, "evergreen.");
    table
        .add("evergreen.training", training,
             "on what arrives and as much of the memory, what arrives being told apart among the classes of "
             "its "
             "batch only (ER-ACE); the same, among all classes; or on the memory alone (CLIB)")
        .choices({"asymmetric", "symmetric", "memory"});
    table.add("evergreen.average", average, "decay of the average of weights that predicts; 0: none")
        .range(0, 0.99999);
  }
  void adjust(TrainOptions& train) override {
    online_defaults(train);
    train.batch = 16;
    train.lr = 0.05;
  }
};

class Evergreen : public MemoryOnly {
 public:
  Evergreen(const EvergreenOptions& options, std::shared_ptr<AveragedWeights> average)
      : options_(options), average_(std::move(average)) {}

  int64_t wanted(const ReplayKit& kit) const override {
    return options_.training == "memory" ? MemoryOnly::wanted(kit) : kit.streamed();
  }

  void observe(ReplayKit& kit, const Samples& batch) override {
    if (options_.training == "memory") return MemoryOnly::observe(kit, batch);
    const auto loss = options_.training == "asymmetric" ? asymmetric_loss : symmetric_loss;
    stream_pass(kit, batch, [&](ReplayKit& k, const Samples& b) { return split_step(k, b, loss); });
  }

  void save(State& state, const std::string& prefix) const override {
    average_->save(state, prefix + "average.");
  }
  void load(const State& state, const std::string& prefix, ReplayKit& kit) override {
    average_->load(state, prefix + "average.", kit.trainer.net());
    if (average_->network() != nullptr) kit.trainer.read_by(average_);
  }

 private:
  EvergreenOptions options_;
  std::shared_ptr<AveragedWeights> average_;
};

/// Evergreen, ours: good at any time and at the end. Rainbow Memory's choice kept up as samples arrive
/// (memory/spread.h), its training on the memory spread over the stream, beside what arrives, which pushes no
/// class away that is not there (ER-ACE, Caccia et al., ICLR 2022, equation 3), and predictions by averaged
/// weights, which make up for a learning rate that never falls.
ReplayParts evergreen(const LearnerSetup& setup, const EvergreenOptions& options) {
  const auto average = std::make_shared<AveragedWeights>(options.average);
  ReplayParts parts{.policy = options.policy,
                    .views = options.views.make(setup.seed),
                    .routine = std::make_unique<Evergreen>(options, average)};
  if (options.average > 0)
    parts.trainer.after_step = [average](Trainer& trainer) {
      average->follow(trainer.net());
      trainer.read_by(average);
    };
  return parts;
}

}  // namespace

Method evergreen_method() {
  return replay_method("evergreen", "Evergreen", "ours, after Bang et al. 2021 and Caccia et al. 2022",
                       "a rainbow memory kept up, an asymmetric loss, averaged weights that predict",
                       evergreen);
}

}  // namespace perennial
