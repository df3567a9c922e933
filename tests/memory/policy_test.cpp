#include "perennial/memory/policy.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/memory/rainbow.h"
#include "tests/memory/told.h"

namespace perennial {
namespace {

Samples labelled(const std::vector<int64_t>& labels, int64_t first_id = 0) {
  std::vector<int64_t> ids(labels.size());
  std::iota(ids.begin(), ids.end(), first_id);
  const at::Tensor images = at::zeros({std::ssize(labels), 1, 1, 1}, at::kByte);
  return {std::move(ids), {{column::kImage, images}, {column::kLabel, at::tensor(labels)}}};
}

std::vector<int64_t> repeat(int64_t label, int64_t n) { return std::vector<int64_t>(n, label); }

std::map<int64_t, int64_t> counts(const Samples& samples) {
  std::map<int64_t, int64_t> out;
  for (const int64_t label : samples.labels()) ++out[label];
  return out;
}

std::vector<int64_t> choose(const std::string& policy, const Samples& samples, int64_t classes,
                            int64_t capacity, const std::vector<float>& uncertainty, uint64_t seed = 1,
                            const std::string& stride = "spread") {
  Told candidates(samples, classes);
  candidates.uncertainty_told = uncertainty;
  return make_policy({.name = policy, .stride = stride}, seed)->select(candidates, capacity, 0).rows;
}

std::vector<int64_t> ranks(int64_t n, int64_t k, const std::string& stride) {
  std::vector<float> u(n);
  std::vector<int64_t> rows(n);
  for (int64_t i = 0; i < n; ++i) u[i] = static_cast<float>(i) / static_cast<float>(n), rows[i] = n - 1 - i;
  return rainbow_choose(rows, k, u, [](int64_t row) { return static_cast<uint64_t>(row); }, stride);
}

TEST(Rainbow, KeepsAllWhenTheyFit) { EXPECT_EQ(ranks(5, 5, "spread").size(), 5U); }

TEST(Rainbow, SpansTheListFromCertainToUncertain) {
  EXPECT_THAT(ranks(10, 5, "spread"), testing::ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(ranks(7, 5, "spread"), testing::ElementsAre(0, 1, 2, 4, 5));
  EXPECT_THAT(ranks(1000, 4, "spread"), testing::ElementsAre(0, 250, 500, 750));
}

TEST(Rainbow, ReleasedFloorStrideKeepsTheMostCertainWhenFewerThanTwiceTheQuota) {
  EXPECT_THAT(ranks(7, 5, "floor"), testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(ranks(10, 5, "floor"), testing::ElementsAre(0, 2, 4, 6, 8));
}

// Nine in ten are certain: by rank the memory is certain too, by value it spans what there is.
TEST(Rainbow, StridesByValueKeepTheFewUncertain) {
  std::vector<float> u(100, 0.0F);
  for (int i = 90; i < 100; ++i) u[i] = static_cast<float>(i - 89) / 10.0F;
  std::vector<int64_t> rows(100);
  for (int i = 0; i < 100; ++i) rows[i] = i;
  const auto uncertain = [&](const std::string& stride) {
    const auto chosen =
        rainbow_choose(rows, 11, u, [](int64_t row) { return static_cast<uint64_t>(row); }, stride);
    EXPECT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), 11U);
    return std::count_if(chosen.begin(), chosen.end(), [&](int64_t row) { return u[row] > 0; });
  };
  EXPECT_EQ(uncertain("value"), 10);
  EXPECT_LE(uncertain("spread"), 2);
}

TEST(Rainbow, ChoosesDiverseUncertaintiesAndTheControlsDoNot) {
  const Samples samples = labelled(repeat(0, 100));
  std::vector<float> u(100);
  for (int i = 0; i < 100; ++i) u[i] = static_cast<float>(i % 12) / 12.0F;
  const auto distinct = [&](const std::string& policy) {
    std::set<float> values;
    for (const int64_t row : choose(policy, samples, 1, 24, u)) values.insert(u[row]);
    return values.size();
  };
  EXPECT_EQ(distinct("rainbow"), 12U);
  EXPECT_LE(distinct("certain"), 3U);
  EXPECT_LE(distinct("uncertain"), 4U);
}

TEST(Rainbow, TiesAreBrokenByASeededHash) {
  const Samples samples = labelled(repeat(0, 100));
  const std::vector<float> equal(100, 0.0F);
  EXPECT_EQ(choose("rainbow", samples, 1, 10, equal, 1), choose("rainbow", samples, 1, 10, equal, 1));
  EXPECT_NE(choose("rainbow", samples, 1, 10, equal, 1), choose("rainbow", samples, 1, 10, equal, 2));
}

TEST(VariationRatio, IsOneMinusTheShareOfTheMostVotes) {
  const at::Tensor votes = at::tensor({12, 0, 0, 6, 6, 0, 4, 4, 4}, at::kLong).reshape({3, 3});
  EXPECT_THAT(variation_ratio(votes, 12),
              testing::Pointwise(testing::FloatEq(), {0.0F, 0.5F, 1 - 4.0F / 12}));
}

TEST(LackOfConfidence, IsOneMinusTheMeanProbabilityOfTheOwnLabel) {
  const float big = 50;  // two views of two samples of two classes
  const at::Tensor logits = at::tensor({big, 0.0F, 0.0F, 0.0F, 0.0F, big, 0.0F, 0.0F}).reshape({2, 2, 2});
  EXPECT_THAT(lack_of_confidence(logits, at::tensor({0, 1}, at::kLong)),
              testing::Pointwise(testing::FloatEq(), {0.5F, 0.5F}));
  EXPECT_THAT(lack_of_confidence(logits.slice(0, 0, 1), at::tensor({1, 1}, at::kLong)),
              testing::Pointwise(testing::FloatNear(1e-6F), {1.0F, 0.5F}));
}

TEST(SelectBalanced, GivesEachClassItsQuotaAndFillsTheRest) {
  std::vector<int64_t> labels = repeat(0, 50);
  labels.insert(labels.end(), 3, 1);
  labels.insert(labels.end(), 50, 2);
  const Samples samples = labelled(labels);
  const auto rows = choose("random", samples, 3, 31, {});
  EXPECT_EQ(rows.size(), 31U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  const auto kept = counts(take(samples, rows));
  EXPECT_EQ(kept.at(1), 3);   // all there are
  EXPECT_GE(kept.at(0), 10);  // floor(31 / 3)
  EXPECT_GE(kept.at(2), 10);
}

TEST(Reservoir, KeepsEachSampleWithEqualProbability) {
  std::map<int64_t, int> kept;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Memory memory(MemoryBudget::parse("10"));
    const auto policy = make_policy({.name = "reservoir"}, seed);
    for (int64_t begin = 0; begin < 100; begin += 7)
      policy->offer(memory, labelled(repeat(0, std::min<int64_t>(7, 100 - begin)), begin));
    EXPECT_EQ(memory.size(), 10);
    for (const int64_t id : memory.samples().ids()) ++kept[id / 20];
  }
  for (int fifth = 0; fifth < 5; ++fifth)
    EXPECT_NEAR(kept[fifth], 800, 110) << fifth;  // 4 standard deviations
}

TEST(GreedyBalanced, EndsBalancedHoweverUnbalancedTheStream) {
  Memory memory(MemoryBudget::parse("30"));
  const auto policy = make_policy({.name = "greedy_balanced"}, 1);
  policy->offer(memory, labelled(repeat(0, 500)));
  EXPECT_EQ(counts(memory.samples()).at(0), 30);
  policy->offer(memory, labelled(repeat(1, 20), 500));
  policy->offer(memory, labelled(repeat(2, 40), 600));
  for (const auto& [label, n] : counts(memory.samples())) EXPECT_NEAR(static_cast<double>(n), 10, 1) << label;
  EXPECT_EQ(memory.size(), 30);
}

// Rows of 40 to 440 bytes in a budget of bytes: never over it, near it, and early samples as likely as late
// ones.
TEST(OnlinePolicies, KeepABudgetInBytesWhereRowsDifferInLength) {
  for (const std::string name : {"reservoir", "greedy_balanced", "balanced_reservoir"}) {
    std::map<int64_t, int> kept;
    int64_t rows = 0;
    for (uint64_t seed = 0; seed < 100; ++seed) {
      Memory memory(MemoryBudget::parse("5KB"));
      const auto policy = make_policy({.name = name}, seed);
      for (int64_t id = 0; id < 200; ++id) {
        const auto length = static_cast<int64_t>(6 + mix64(seed, static_cast<uint64_t>(id)) % 101);
        policy->offer(memory, {{id},
                               {{column::kLabel, at::full({1}, id % 4, at::kLong)},
                                {"audio", Column(at::zeros({length}), {0, length})}}});
        ASSERT_LE(memory.bytes(), 5000) << name;
      }
      EXPECT_GT(memory.bytes(), 3000) << name;
      for (const auto& [label, n] : counts(memory.samples())) EXPECT_LT(n, memory.size()) << name;
      for (const int64_t id : memory.samples().ids()) ++kept[id / 100];
      rows += memory.size();
    }
    if (name == "reservoir") {
      EXPECT_NEAR(kept[0] / static_cast<double>(rows), 0.5, 0.06);
    }
  }
}

// A resumed run offers what it kept of a task in one batch; and a row that no memory holds changes nothing.
TEST(OnlinePolicies, ChooseTheSameHoweverTheStreamIsCut) {
  for (const std::string name : {"reservoir", "greedy_balanced", "balanced_reservoir"}) {
    const auto policy = make_policy({.name = name}, 7), other = make_policy({.name = name}, 7);
    Memory whole(MemoryBudget::parse("2KB")), parts(MemoryBudget::parse("2KB"));
    Samples all;
    for (int64_t id = 0; id < 60; ++id) {
      const auto length =
          static_cast<int64_t>(id % 17 == 5 ? 1000 : 2 + mix64(7, static_cast<uint64_t>(id)) % 60);
      const Samples one({id}, {{column::kLabel, at::full({1}, id % 3, at::kLong)},
                               {"audio", Column(at::zeros({length}), {0, length})}});
      other->offer(parts, one);
      all = concat(all, one);
    }
    policy->offer(whole, all);
    EXPECT_EQ(whole.samples(), parts.samples()) << name;
    EXPECT_GT(whole.size(), 5) << name;
    for (const int64_t id : whole.ids()) EXPECT_NE(id % 17, 5);
  }
}

struct FirstOnes : Policy {
  bool online() const override { return false; }
  Choice select(Evidence&, int64_t capacity, uint64_t) override {
    std::vector<int64_t> rows(static_cast<size_t>(capacity));
    std::iota(rows.begin(), rows.end(), int64_t{0});
    return {rows, {}};
  }
};

TEST(Policies, OnesOwnIsRegisteredLikeTheOthers) {
  const PolicyKind& first = policies().front();
  const PolicyKind own{
      "first_ones", {}, [](const PolicyOptions&, uint64_t) { return std::make_unique<FirstOnes>(); }};
  register_policy(own);
  EXPECT_EQ(&policies().front(), &first) << "references stay good";
  EXPECT_EQ(choose("first_ones", labelled(repeat(0, 9)), 1, 2, {}), (std::vector<int64_t>{0, 1}));
  EXPECT_THROW(register_policy(own), std::invalid_argument);
  try {
    make_policy({.name = "first_one"}, 1);
    ADD_FAILURE();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("first_ones"));
  }
}

TEST(Herding, FollowsTheClassMean) {
  const Samples samples = labelled(repeat(0, 4));
  // The mean direction is (1, 1); the fourth point is that direction itself.
  const at::Tensor features = at::tensor({1.0F, 0.0F, 0.0F, 1.0F, -1.0F, 2.5F, 1.0F, 1.0F}).reshape({4, 2});
  Told candidates(samples, 1);
  candidates.features_told = features;
  const auto rows = make_policy({.name = "herding"}, 1)->select(candidates, 1, 0).rows;
  // Brute force: the single sample nearest to the mean of the normalised features.
  const at::Tensor f = features / features.norm(2, {1}, true);
  EXPECT_EQ(rows.at(0), (f - f.mean(0)).norm(2, {1}).argmin().item<int64_t>());
}

TEST(Policy, SaysWhatItNeedsToKnow) {
  EXPECT_NO_THROW(require_facts(find_policy("herding"), kPlainFacts));
  EXPECT_NO_THROW(require_facts(find_policy("reservoir"), {}));
  try {
    require_facts(find_policy("rainbow"), kPlainFacts);
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("'rainbow' needs the perturbed views"));
  }
}

TEST(Policy, UnknownNameSuggests) {
  try {
    make_policy({.name = "rainbw"}, 1);
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("rainbow"));
  }
}

}  // namespace
}  // namespace perennial
