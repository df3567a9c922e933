// Methods are put together: a replay method with stored logits, a plug-in around others, a policy that needs
// losses. The three are the examples of docs/own_learner.md.
#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "examples/05_own_learner/dark_replay.h"
#include "examples/05_own_learner/drop_channels.h"
#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(DarkReplay, StoresWhatTheNetworkSaidThoughTheHeadGrows) {
  all_methods();
  const auto learner = make_learner({"dark"});
  learn_task(*learner, halves(60, {0, 1}, 1));
  learn_task(*learner, halves(60, {2, 3}, 1, 60));
  const Column& stored = learner->memory()->samples().column(kLogits);
  const auto& ids = learner->memory()->ids();
  for (int64_t i = 0; i < stored.size(); ++i)
    EXPECT_EQ(stored.row(i).size(0), ids[static_cast<size_t>(i)] < 60 ? 2 : 4);
  EXPECT_GT(std::count_if(ids.begin(), ids.end(), [](int64_t id) { return id < 60; }), 0);
}

TEST(DarkReplay, WithoutWeightIsExperienceReplayAndWithItIsNot) {
  const auto learned = [](const Switched& what) {
    auto learner = make_learner(what);
    learn_task(*learner, halves(60, {0, 1}, 1));
    learn_task(*learner, halves(60, {2, 3}, 1, 60));
    return learner;
  };
  const auto er = learned({"er"});
  EXPECT_TRUE(differences(*learned({"dark", {{"dark.alpha", "0"}}}), *er).empty());
  EXPECT_FALSE(differences(*learned({"dark", {{"dark.alpha", "0.3"}}}), *er).empty());
}

TEST(DarkReplay, DistanceIsToTheLogitsThatAreThere) {
  Classifier net({.name = "mlp400", .width = 0.1}, HeadKind::kLinear, {1, 4, 4}, {}, {}, 1);
  const Samples two = halves(2, {0, 1}, 1).with(kLogits, Column(at::ones({3}), {0, 1, 3}));
  const Outputs outputs{{}, at::zeros({2, 4})};  // three values are stored, each one away
  DistanceToStored term(0.5);
  EXPECT_NEAR(term.of(StepView(two, two, Targets{}, outputs, net, 0)).item<double>(), 0.5 * (3.0 / 3), 1e-6);
  Targets mixed;
  mixed.lambda = 0.5;
  EXPECT_FALSE(term.of(StepView(two, two, mixed, outputs, net, 0)).defined());
}

TEST(DropChannels, ChangesEachHostThatItIsWrappedAround) {
  all_methods();
  for (const char* host : {"er", "rm", "dark"}) {
    const auto plain = make_learner({host}), wrapped = make_learner({std::string(host) + "-drop"});
    for (const auto& learner : {plain.get(), wrapped.get()}) learn_task(*learner, halves(60, {0, 1}, 1));
    EXPECT_FALSE(differences(*plain, *wrapped).empty()) << host;
    EXPECT_GT(accuracy(*wrapped, halves(60, {0, 1}, 2, 1000)), 0.8) << host;
  }
}

TEST(DropChannels, LeavesOutTheStrongestOfEachSample) {
  LearnerSetup setup = small_setup();
  setup.model.name = "resnet20";
  at::Tensor seen;
  struct Look : Plugin {
    explicit Look(at::Tensor& map) : map_(map) {}
    std::string name() const override { return "look"; }
    at::Tensor feature_map(const Passage& at, at::Tensor map) override {
      if (at.stage.name == "layer1") map_ = map.detach().clone();
      return map;
    }
    at::Tensor& map_;
  };
  setup.plugins = {[](const LearnerSetup&) { return std::make_unique<DropChannels>("layer1", 0.25); },
                   [&](const LearnerSetup&) { return std::make_unique<Look>(seen); }};
  Trainer trainer(setup, {});
  trainer.meet(halves(4, {0, 1}, 1).labels());
  trainer.step(halves(4, {0, 1}, 1), 0.1);
  ASSERT_EQ(seen.dim(), 4);
  const at::Tensor empty = seen.flatten(2).abs().amax(2).eq(0).sum(1);  // channels without anything, [N]
  EXPECT_TRUE(empty.ge(seen.size(1) / 4).all().item<bool>());
}

TEST(LeastLoss, KeepsWhatTheNetworkFindsEasy) {
  all_methods();
  // Of class 0 every fifth sample is one of class 1 with a wrong label.
  Samples task = halves(200, {0, 1}, 1);
  at::Tensor labels = task.tensor(column::kLabel).clone();
  for (int64_t i = 1; i < 200; i += 10) labels[i] = 0;
  task = task.with(column::kLabel, labels);
  const auto wrong = [&](const char* policy) {
    const auto learner = make_learner({"er", {{"er.policy", policy}}});
    learn_task(*learner, task);
    const auto& ids = learner->memory()->ids();
    EXPECT_EQ(ids.size(), 20U);
    return std::count_if(ids.begin(), ids.end(), [](int64_t id) { return id % 10 == 1; });
  };
  EXPECT_LE(wrong("least_loss"), wrong("reservoir"));
  EXPECT_LE(wrong("least_loss"), 1);
}

}  // namespace
}  // namespace perennial
