#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "perennial/memory/memory.h"
#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

std::unique_ptr<Learner> after_a_task(const std::vector<std::pair<std::string, std::string>>& options) {
  auto learner = make_learner({"rm", options});
  learn_task(*learner, halves(100, {0, 1, 2, 3}, 1));
  return learner;
}

TEST(RainbowMemory, ScoresItsMemoryByVariationRatio) {
  const auto learner = after_a_task({{"rm.views", "12"}});
  const auto& scores = learner->memory()->scores();
  ASSERT_EQ(scores.size(), 20U);
  for (const float u : scores) EXPECT_NEAR(u * 12, std::round(u * 12), 1e-4);  // votes of 12 views
}

TEST(RainbowMemory, KeepsFromCertainToUncertainWhereItsControlsDoNot) {
  const auto mean_score = [](const char* policy) {
    const auto learner = after_a_task({{"rm.policy", policy}, {"epochs", "0"}});
    double sum = 0;
    for (const float u : learner->memory()->scores()) sum += u;
    return sum / 20;
  };
  EXPECT_LT(mean_score("certain"), mean_score("rainbow"));
  EXPECT_LT(mean_score("rainbow"), mean_score("uncertain"));
}

TEST(RainbowMemory, ConfidenceTellsApartWhatVotesDoNot) {
  const auto distinct = [](const char* uncertainty) {
    const auto learner = after_a_task({{"rm.uncertainty", uncertainty}});
    const auto& scores = learner->memory()->scores();
    return std::set<float>(scores.begin(), scores.end()).size();
  };
  EXPECT_LE(distinct("votes"), 12U);
  EXPECT_EQ(distinct("confidence"), 20U);
}

TEST(RainbowMemory, FirstTaskRandomIsASwitch) {
  const auto random = after_a_task({{"rm.first_task_random", "true"}});
  const auto chosen = after_a_task({{"rm.first_task_random", "false"}});
  EXPECT_NE(random->memory()->ids(), chosen->memory()->ids());
  EXPECT_TRUE(random->memory()->scores().empty());
  EXPECT_FALSE(chosen->memory()->scores().empty());
  learn_task(*random, halves(100, {0, 1, 2, 3}, 1, 100));
  EXPECT_EQ(random->memory()->scores().size(), 20U);  // the second is not
}

TEST(RainbowMemory, TrainsWithCutMixAndAutoAugment) {
  const auto learned = [](const char* augment) {
    LearnerSetup setup = small_setup();
    setup.is_digits = false;
    auto learner = make_learner({"rm", {{"train.augment", augment}}}, setup);
    learn_task(*learner, halves(40, {0, 1}, 1));
    return learner;
  };
  EXPECT_TRUE(differences(*learned("auto"), *learned("crop,flip,cutmix,autoaugment")).empty());
  EXPECT_FALSE(differences(*learned("auto"), *learned("crop,flip")).empty());
}

TEST(RainbowMemory, RemembersBothTasks) {
  EXPECT_GT(kept_accuracy("rm"), 0.7);
  const auto learner = make_learner({"rm", {{"epochs", "2"}}});
  EXPECT_EQ(learner->epoch_of(0), 0);
  EXPECT_EQ(learner->epoch_of(learner->pieces() - 1), 2);
}

}  // namespace
}  // namespace perennial
