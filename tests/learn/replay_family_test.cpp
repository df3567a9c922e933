// What makes each method of the replay family what it is: without its idea these fail.
#include <algorithm>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/learn/trainer.h"
#include "perennial/memory/evidence.h"
#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

/// Accuracy on the first two classes, after so many samples of them and then these many batches of two
/// others, over three seeds.
double kept(const std::string& method, const Options& options, int64_t batches, int64_t first = 200,
            const std::string& memory = "20") {
  double sum = 0;
  for (const uint64_t seed : {1, 2, 3}) {
    LearnerSetup setup = small_setup();
    setup.seed = seed;
    setup.memory = MemoryBudget::parse(memory);
    const auto learner = make_learner({method, options}, setup);
    learn_task(*learner, halves(first, {0, 1}, seed));
    const Samples next = halves(3000, {2, 3}, seed, first);
    for (int64_t i = 0, at = 0; i < batches; ++i) at += observe_next(*learner, next, at);
    sum += accuracy(*learner, halves(100, {0, 1}, 10 + seed, 10000));
  }
  return sum / 3;
}

TEST(ErAce, NewClassesDoNotPushOldOnesAway) {
  EXPECT_GT(kept("er-ace", {}, 4, 200, "4"),
            kept("er-ace", {{"er-ace.asymmetric", "false"}}, 4, 200, "4") + 0.1);
}

/// Mean squared distance of a memory's stored logits to what the network says now.
double distance_to_stored(const char* alpha) {
  const auto learner = make_learner({"derpp", {{"derpp.alpha", alpha}, {"derpp.beta", "0"}}});
  learn_task(*learner, halves(400, {0, 1}, 1));
  learn_task(*learner, halves(400, {2, 3}, 1, 400));
  const Samples& memory = learner->memory()->samples();
  const at::Tensor stored = memory.column("logits").values().view({memory.size(), 4});
  return (learner->evidence(memory)->logits() - stored).square().mean().item<double>();
}

TEST(DerPlusPlus, StoredLogitsHoldTheNetwork) {
  EXPECT_LT(distance_to_stored("1"), 0.5 * distance_to_stored("0"));
}

TEST(DerPlusPlus, StoredLabelsHoldTheNetwork) {
  const Options without{{"derpp.alpha", "0"}, {"derpp.beta", "0"}};
  EXPECT_GT(kept("derpp", {{"derpp.alpha", "0"}}, 10), kept("derpp", without, 10) + 0.1);
}

TEST(DerPlusPlus, RemembersWhatTheNetworkSaidInTraining) {
  const Samples batch = halves(16, {0, 1, 2, 3}, 1);
  const auto learner = make_learner({"derpp"});
  learner->observe(batch);
  Trainer fresh(small_setup(), {});
  fresh.meet(std::vector<int64_t>{0, 1, 2, 3});
  const Samples& memory = learner->memory()->samples();
  const at::Tensor said =
      fresh.net().batch_statistics_logits(fresh.view(batch, fresh.augmentation().unmixed()));
  const at::Tensor stored = memory.column("logits").values().view({memory.size(), 4});
  for (int64_t slot = 0; slot < memory.size(); ++slot) {
    const auto row =
        std::find(batch.ids().begin(), batch.ids().end(), memory.ids()[slot]) - batch.ids().begin();
    EXPECT_TRUE(at::allclose(stored[slot], said[row])) << slot;
  }
}

TEST(Passes, GoOverTheTaskWithReplayAndForgetItThen) {
  for (const char* method : {"er", "derpp", "er-ace", "mir"}) {
    LearnerSetup setup = small_setup();
    int64_t steps = 0;
    setup.on_step = [&](const TrainingStep&) { ++steps; };
    const auto learner =
        make_learner({method, {{"train.passes", "4"}, {"train.protocol", "online"}, {"batch", "16"}}}, setup);
    learn_task(*learner, halves(64, {0, 1}, 1));
    EXPECT_EQ(steps, 7 + 3 * 8) << method;  // the first, with nothing in memory yet, brings 16; others 8
    EXPECT_EQ(learner->candidate_bytes(), 0) << method;
    const auto& ids = learner->memory()->ids();
    EXPECT_EQ(std::set<int64_t>(ids.begin(), ids.end()).size(), ids.size()) << method;
  }
  EXPECT_THROW(make_learner({"icarl", {{"train.passes", "2"}}}), std::invalid_argument);
  EXPECT_THROW(make_learner({"derpp", {{"train.passes", "2"}, {"derpp.update", "after_pass"}}}),
               std::invalid_argument);
}

TEST(DerPlusPlus, MorePassesRenewTheStoredLogits) {
  const auto behind = [](const char* passes) {
    const auto learner = make_learner({"derpp", {{"train.passes", passes}}});
    learn_task(*learner, halves(200, {0, 1}, 1));
    const Samples& memory = learner->memory()->samples();
    const at::Tensor stored = memory.column("logits").values().view({memory.size(), 4});
    return at::cross_entropy_loss(stored, memory.tensor(column::kLabel)).item<double>();
  };
  EXPECT_LT(behind("6"), 0.5 * behind("1"));
}

TEST(DerPlusPlus, RemembersTheLogitsOfTheClassesKnownThen) {
  const auto learner = make_learner({"derpp"});
  learn_task(*learner, halves(100, {0, 1}, 1));
  const Samples& memory = learner->memory()->samples();
  ASSERT_TRUE(memory.has("logits"));
  EXPECT_EQ(memory.column("logits").row(0).size(0), 4);  // those that are to come among them
  EXPECT_EQ(learner->predict(memory).narrow(1, 2, 2).max().item<float>(), 0.0F);
  const auto grown = make_learner({"derpp", {{"train.whole_head", "false"}}});
  learn_task(*grown, halves(100, {0, 1}, 1));
  EXPECT_EQ(grown->memory()->samples().column("logits").row(0).size(0), 2);
}

TEST(Agem, StepsDoNotRaiseTheLossOnTheMemory) {
  EXPECT_GT(kept("agem", {}, 6), kept("agem", {{"agem.project", "false"}}, 6));
}

TEST(Mir, ReplaysOtherSamplesThanRandomOnes) {
  const auto interfered = make_learner({"mir"}),
             random = make_learner({"mir", {{"mir.interfered", "false"}}});
  for (Learner* learner : {interfered.get(), random.get()}) {
    learn_task(*learner, halves(200, {0, 1}, 1));
    learn_task(*learner, halves(100, {2, 3}, 1, 200));
  }
  EXPECT_FALSE(differences(*interfered, *random).empty());
  EXPECT_GT(kept("mir", {}, 10), 0.7);
}

/// How far the odds between the first two classes move, of samples of two others, while those are learned.
double moved_odds(const char* weight) {
  const auto learner = make_learner({"lwf", {{"lwf.weight", weight}, {"lwf.revisit", "false"}}});
  learn_task(*learner, halves(200, {0, 1}, 1));
  const Samples next = halves(64, {2, 3}, 1, 200);
  const auto odds = [&] {
    const at::Tensor p = learner->predict(next).narrow(1, 0, 2);
    return p / p.sum(at::IntArrayRef{1}, true);
  };
  const at::Tensor before = odds();
  observe(*learner, next);
  return (odds() - before).abs().sum().item<double>() / 64;
}

TEST(Lwf, HoldsWhatTheFormerNetworkSaidOfNewSamples) { EXPECT_LT(moved_odds("1"), 0.8 * moved_odds("0")); }

State state_of(const Learner& learner) {
  State state;
  learner.save(state, "");
  return state;
}

/// sum_i w_i (theta_i - theta*_i)^2 over a second task, w and theta* being those of the first's end.
double weighted_way(const char* lambda) {
  const auto learner = make_learner({"rwalk", {{"rwalk.lambda", lambda}, {"rwalk.interval", "5"}}});
  learn_task(*learner, halves(100, {0, 1}, 1));
  const State before = state_of(*learner);
  learn_task(*learner, halves(100, {2, 3}, 1, 100));
  double way = 0;
  for (int i = 0; before.has_tensor("rwalk." + std::to_string(i) + ".weight"); ++i) {
    const std::string name = "rwalk." + std::to_string(i);
    const at::Tensor moved = state_of(*learner).tensor(name + ".anchor") - before.tensor(name + ".anchor");
    way += (before.tensor(name + ".weight") * moved.square()).sum().item<double>();
  }
  return way;
}

TEST(Rwalk, ThePenaltyHoldsWeightsThatMattered) { EXPECT_LT(weighted_way("5"), 0.7 * weighted_way("0")); }

// In the released comparison they are always 0.
TEST(Rwalk, PathsHaveScores) {
  const auto learner = make_learner({"rwalk", {{"rwalk.interval", "5"}}});
  learn_task(*learner, halves(100, {0, 1}, 1));
  EXPECT_GT(state_of(*learner).tensor("rwalk.0.score").max().item<double>(), 0);
}

TEST(Icarl, PredictsByTheNearestMeanOfItsMemory) {
  const Options two_epochs{{"epochs", "3"}};
  const auto mean = make_learner({"icarl", two_epochs}),
             head = make_learner({"icarl", {{"epochs", "3"}, {"icarl.nearest_mean", "false"}}});
  for (Learner* learner : {mean.get(), head.get()}) learn_task(*learner, halves(200, {0, 1, 2}, 1));
  EXPECT_EQ(mean->model().metadata.count("readout"), 1U);
  EXPECT_EQ(head->model().metadata.count("readout"), 0U);
  EXPECT_GT(accuracy(*mean, halves(90, {0, 1, 2}, 2, 1000)), 0.9);
}

TEST(Bic, CorrectsNewClasses) {
  const auto share_of_new = [](const char* correct) {
    LearnerSetup setup = small_setup();
    setup.memory = MemoryBudget::parse("40");
    const auto learner =
        make_learner({"bic", {{"epochs", "6"}, {"bic.correct", correct}, {"batch", "16"}}}, setup);
    learn_task(*learner, halves(200, {0, 1}, 1));
    learn_task(*learner, halves(400, {2, 3}, 1, 200));
    const at::Tensor p = learner->predict(halves(200, {0, 1, 2, 3}, 2, 1000));
    return p.narrow(1, 2, 2).sum().item<double>() / 200;
  };
  EXPECT_LT(share_of_new("true"), share_of_new("false"));
}

TEST(Clib, TrainsOnTheMemoryAlone) {
  const auto learner = make_learner({"clib"});
  EXPECT_EQ(learner->wanted(), 8);
  const Samples task = halves(8, {0, 1}, 1);
  learner->observe(task);
  EXPECT_EQ(learner->memory()->size(), 8);
}

TEST(Clib, TheRateIsTriedOut) {
  double least = 1, most = 0;
  LearnerSetup setup = small_setup();
  setup.on_step = [&](const TrainingStep& step) {
    least = std::min(least, step.lr), most = std::max(most, step.lr);
  };
  const auto learner = make_learner({"clib", {{"clib.trial", "2"}}}, setup);
  learn_task(*learner, halves(400, {0, 1, 2, 3}, 1));
  EXPECT_LT(least, most);
}

TEST(Evergreen, AveragedWeightsPredict) {
  const auto average = make_learner({"evergreen"}),
             last = make_learner({"evergreen", {{"evergreen.average", "0"}}});
  for (Learner* learner : {average.get(), last.get()}) learn_task(*learner, halves(200, {0, 1, 2, 3}, 1));
  EXPECT_FALSE(differences(*average, *last).empty());
  EXPECT_EQ(average->memory()->ids(), last->memory()->ids());
  EXPECT_GT(accuracy(*average, halves(100, {0, 1, 2, 3}, 2, 1000)), 0.9);
}

TEST(Evergreen, WhatArrivesDoesNotPushTheOthersAway) {
  const auto old_ones = [](const char* training) {
    return kept("evergreen",
                {{"evergreen.average", "0"},
                 {"evergreen.policy", "reservoir"},
                 {"evergreen.training", training},
                 {"train.lr", "0.1"}},
                4, 200, "4");
  };
  EXPECT_GT(old_ones("asymmetric"), old_ones("symmetric") + 0.05);
}

TEST(Evergreen, IsGoodAtAnyTime) { EXPECT_GT(kept("evergreen", {}, 20), 0.8); }

TEST(Puridiver, PolicyAndRobustTrainingAreChoicesOfTheirOwn) {
  for (const char* policy : {"reservoir", "greedy_balanced", "rainbow", "puridiver"})
    for (const char* robust : {"none", "selfie", "coteaching", "dividemix", "puridiver"}) {
      const auto learner = make_learner(
          {"puridiver",
           {{"puridiver.policy", policy}, {"robust", robust}, {"robust.warmup", "1"}, {"epochs", "3"}}});
      learn_task(*learner, halves(64, {0, 1}, 1));
      learn_task(*learner, halves(64, {2, 3}, 1, 64));
      EXPECT_EQ(learner->memory()->size(), 20) << policy << " " << robust;
    }
}

TEST(Protocol, OnlineTrainsInTheStreamPassAlone) {
  int64_t steps = 0;
  LearnerSetup setup = small_setup();
  setup.on_step = [&](const TrainingStep&) { ++steps; };
  const auto learner = make_learner({"er", {{"train.protocol", "online"}, {"train.updates", "3"}}}, setup);
  const Samples task = halves(64, {0, 1}, 1);
  for (int64_t at = 0; at < 64;) at += observe_next(*learner, task, at);
  const int64_t streamed = steps;
  EXPECT_EQ(streamed, 3 * 7);  // batches of 16, then of 8
  Progress silent;
  while (learner->consolidate(silent)) {
  }
  EXPECT_EQ(steps, streamed);
}

}  // namespace
}  // namespace perennial
