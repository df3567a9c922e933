#include "perennial/learn/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

Samples batch() { return halves(16, {0, 1}, 1); }

/// The weights after a step on `samples`.
at::Tensor stepped(const Samples& samples, TrainerParts parts = {}, LearnerSetup setup = small_setup()) {
  Trainer trainer(setup, std::move(parts));
  trainer.meet(batch().labels());
  trainer.step(samples, 0.1);
  return trainer.model().tensors.at("backbone.fc1.weight");
}

TEST(Targets, SoftOnesOfOneLabelAreHardOnes) {
  const at::Tensor soft = at::one_hot(batch().tensor(column::kLabel), 4).to(at::kFloat);
  EXPECT_TRUE(at::allclose(stepped(batch().with(column::kSoftLabel, soft)), stepped(batch())));
  const at::Tensor even = at::full({16, 4}, 0.5F);
  EXPECT_FALSE(at::allclose(stepped(batch().with(column::kSoftLabel, even)), stepped(batch())));
}

TEST(Targets, WeightsAreFactorsOnEachLoss) {
  EXPECT_TRUE(at::allclose(stepped(batch().with(column::kWeight, at::ones({16}))), stepped(batch())));
  const LabelMap labels = [] {
    LabelMap map;
    map.add(std::vector<int64_t>{0, 1});
    return map;
  }();
  const at::Tensor logits = at::tensor({1.0F, 0.0F, 0.5F, 2.0F}).reshape({2, 2});
  const Samples two = slice(batch(), 0, 2).with(column::kWeight, at::tensor({3.0F, 0.5F}));
  const Targets targets = Targets::of(two, labels);
  const at::Tensor log_p = at::log_softmax(logits, 1);
  const double first = -3 * log_p[0][0].item<double>(), second = -0.5 * log_p[1][1].item<double>();
  EXPECT_NEAR(targets.losses(logits)[0].item<double>(), first, 1e-6);
  EXPECT_NEAR(targets.mean_loss(logits).item<double>(), (first + second) / 2, 1e-6);
}

TEST(Targets, CutMixMixesEveryKind) {
  Targets hard{at::tensor({0, 1}, at::kLong), {}, {}, {1, 0}, 0.75}, soft = hard;
  soft.soft = at::one_hot(hard.rows, 2).to(at::kFloat);
  const at::Tensor logits = at::tensor({1.0F, 0.0F, 0.5F, 2.0F}).reshape({2, 2});
  const at::Tensor log_p = at::log_softmax(logits, 1);
  const double first = -(0.75 * log_p[0][0] + 0.25 * log_p[0][1]).item<double>();
  for (const Targets& targets : {hard, soft}) {
    EXPECT_NEAR(targets.losses(logits)[0].item<double>(), first, 1e-6);
    EXPECT_NEAR(targets.mean_loss(logits).item<double>(), targets.losses(logits).mean().item<double>(), 1e-6);
  }
}

/// Looks at all that a term may see, and adds `factor` times the mean loss.
class Again : public LossTerm {
 public:
  explicit Again(double factor) : factor_(factor) {}
  at::Tensor of(const StepView& step) override {
    EXPECT_EQ(step.outputs.logits.sizes(), (at::IntArrayRef{16, 2}));
    EXPECT_EQ(step.outputs.features.size(0), 16);
    EXPECT_EQ(step.losses().sizes(), at::IntArrayRef{16});
    EXPECT_TRUE(step.batch == batch());
    return step.losses().mean() * factor_;
  }

 private:
  double factor_;
};

TEST(LossTerm, IsAddedToTheLoss) {
  TrainerParts parts;
  parts.terms = {std::make_shared<Again>(1.0)};
  LearnerSetup plain = small_setup(), twice = small_setup();
  plain.train.optimiser.momentum = twice.train.optimiser.momentum = 0;
  plain.train.optimiser.nesterov = twice.train.optimiser.nesterov = false;
  plain.train.weight_decay = twice.train.weight_decay = 0;
  const at::Tensor start = Trainer(plain, {}).model().tensors.at("backbone.fc1.weight");
  const at::Tensor once = stepped(batch(), {}, plain) - start, both = stepped(batch(), parts, twice) - start;
  EXPECT_GT(once.norm().item<double>(), 1e-3);
  EXPECT_TRUE(at::allclose(both, 2 * once, 1e-3, 1e-6));
}

TEST(Trainer, GroupsHaveRatesOfTheirOwn) {
  TrainerParts parts;
  parts.groups = [](const Classifier& net) {
    ParameterGroup backbone{{}, 0, 0}, head{{}, 0, 1};
    for (const NamedTensor& p : net.parameters())
      (p.name.starts_with("head.") ? head : backbone).parameters.push_back(p);
    return std::vector{backbone, head};
  };
  const at::Tensor start = Trainer(small_setup(), {}).model().tensors.at("backbone.fc1.weight");
  EXPECT_TRUE(stepped(batch(), parts).equal(start));
  EXPECT_FALSE(stepped(batch()).equal(start));
}

TEST(Trainer, ALossOfTheCallersMaking) {
  Trainer own(small_setup(), {}), usual(small_setup(), {});
  for (Trainer* trainer : {&own, &usual}) trainer->meet(batch().labels());
  own.step(batch(), NetworkInput(batch()), Targets::of(batch(), own.labels()), 0.1,
           [](const StepView& step) { return step.losses().mean(); });
  usual.step(batch(), 0.1);
  EXPECT_TRUE(at::allclose(own.model().tensors.at("head.weight"), usual.model().tensors.at("head.weight")));
}

TEST(Trainer, TwoPluginsOfOneNameAreRefused) {
  LearnerSetup setup = small_setup();
  struct Named : Plugin {
    std::string name() const override { return "same"; }
  };
  setup.plugins.assign(2, [](const LearnerSetup&) { return std::make_unique<Named>(); });
  EXPECT_THROW(Trainer(setup, {}), std::invalid_argument);
}

TEST(Trainer, ResetHeadIsASwitch) {
  const auto head_change = [](const char* reset) {
    const auto learner =
        make_learner({"er", {{"train.reset_head", reset}, {"epochs", "0"}, {"train.stream_lr_factor", "0"}}});
    learn_task(*learner, halves(40, {0, 1}, 1));
    const at::Tensor before = learner->model().tensors.at("head.weight").clone();
    learn_task(*learner, halves(40, {0, 1}, 1));
    return (learner->model().tensors.at("head.weight") - before).norm().item<double>();
  };
  EXPECT_EQ(head_change("false"), 0.0);
  EXPECT_GT(head_change("true"), 0.1);
}

}  // namespace
}  // namespace perennial
