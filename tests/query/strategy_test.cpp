// Chains, what they say of bad text and bad pools, and what a query finds out.
#include "perennial/query/strategy.h"

#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "tests/query/fixtures.h"

namespace perennial {
namespace {

using testing::HasSubstr;

ToyPool pool_of(int64_t n) {
  return ToyPool(normal_rows(n, 4), [](const at::Tensor& x) { return x.narrow(1, 0, 3); });
}

std::string refusal(const std::string& text) {
  try {
    const Strategy strategy(text);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(Strategy, SaysWhatIsWrongWithItsText) {
  EXPECT_THAT(refusal("margn"), HasSubstr("margin"));
  EXPECT_THAT(refusal("margin |"), HasSubstr("a name is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("a name is missing"));
  EXPECT_THAT(refusal("margin:0x | kmeans"), HasSubstr("multiple of the budget"));
  EXPECT_THAT(refusal("margin:120% | kmeans"), HasSubstr("multiple of the budget"));
  EXPECT_THAT(refusal("margin:much | kmeans"), HasSubstr("how many are kept"));
  EXPECT_EQ(refusal(" margin : 20x|badge:50%|k-centre "), "");
}

TEST(Strategy, AStageNarrowsForTheNext) {
  const ToyPool pool = pool_of(200);
  Query query = pool.query();
  const auto by_margin = Strategy("margin").select(query, 20);
  const auto chain = Strategy("margin:20 | k-centre").select(query, 5);
  EXPECT_THAT(chain.places, testing::IsSubsetOf(by_margin.places));
  ASSERT_EQ(chain.scores.size(), 2U);
  for (size_t i = 0; i < chain.places.size(); ++i) {
    const auto at = std::find(by_margin.places.begin(), by_margin.places.end(), chain.places[i]);
    EXPECT_EQ(chain.scores[0].second[i],
              by_margin.scores[0].second[static_cast<size_t>(at - by_margin.places.begin())]);
  }
  EXPECT_EQ(Strategy("margin:20x | kmeans").select(query, 5).places.size(), 5U);
  EXPECT_EQ(Strategy("margin:1% | kmeans").select(query, 5).places.size(), 5U)
      << "never fewer than the budget";
}

TEST(Strategy, EachOfThemPicksDifferentSamplesAndTheSameAgain) {
  const ToyPool pool = pool_of(120);
  for (const StrategyKind& kind : strategies()) {
    Query query = pool.query({0, 1, 2, 3}, {0, 1, 2, kNoneOfThese}),
          again = pool.query({0, 1, 2, 3}, {0, 1, 2, kNoneOfThese});
    const auto chosen = Strategy(kind.name).select(query, 15);
    EXPECT_EQ(std::set<int64_t>(chosen.places.begin(), chosen.places.end()).size(), 15U) << kind.name;
    EXPECT_EQ(chosen.places, Strategy(kind.name).select(again, 15).places) << kind.name;
    EXPECT_EQ(chosen.scores[0].second.size(), 15U) << kind.name;
    EXPECT_FALSE(kind.text.empty()) << kind.name;
  }
}

TEST(Strategy, ABudgetLargerThanThePoolTakesAll) {
  const ToyPool pool = pool_of(7);
  for (const StrategyKind& kind : strategies()) {
    Query query = pool.query();
    EXPECT_EQ(Strategy(kind.name).select(query, 100).places.size(), 7U) << kind.name;
  }
  Query query = pool.query();
  EXPECT_THROW(Strategy("random").select(query, 0), std::invalid_argument);
}

TEST(Strategy, OneClassOnlyIsNoFault) {
  const ToyPool pool(normal_rows(30, 4), [](const at::Tensor& x) { return at::ones({x.size(0), 1}); });
  for (const StrategyKind& kind : strategies()) {
    Query query = pool.query({0, 1}, {0, 0});
    EXPECT_EQ(Strategy(kind.name).select(query, 5).places.size(), 5U) << kind.name;
  }
}

TEST(Strategy, AllAnswersNoneOfTheseIsNoFault) {
  const ToyPool pool = pool_of(30);
  for (const StrategyKind& kind : strategies()) {
    Query query = pool.query({0, 1}, {kNoneOfThese, kNoneOfThese});
    EXPECT_EQ(Strategy(kind.name).select(query, 5).places.size(), 5U) << kind.name;
  }
}

TEST(Strategy, FeaturesThatAreNoNumbersAreRefused) {
  at::Tensor x = normal_rows(30, 4);
  x[7][2] = NAN, x[9][0] = INFINITY;
  const ToyPool pool(x, [](const at::Tensor& v) { return v.narrow(1, 0, 3); });
  for (const StrategyKind& kind : strategies()) {
    if (kind.name == "random" || kind.name == "balance") continue;
    Query query = pool.query();
    try {
      Strategy(kind.name).select(query, 5);
      ADD_FAILURE() << kind.name;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("of 30 samples with NaN")) << kind.name;
    }
  }
}

TEST(Strategy, SaysWhatALearnerCannotTell) {
  const std::vector<Fact> features{Fact::kFeatures};
  EXPECT_NO_THROW(Strategy("kmeans").require(features));
  try {
    Strategy("margin | kmeans").require(features);
    ADD_FAILURE();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), HasSubstr("the strategy 'margin' needs the probabilities"));
  }
}

TEST(Query, EqualScoresAreOrderedByIdAndSeedNotByPlace) {
  const ToyPool pool(at::ones({50, 2}), [](const at::Tensor& x) { return x; });
  Query forth(pool, {1, 2, 3, 4, 5, 6}, {}, pool.ask(), 1), back(pool, {6, 5, 4, 3, 2, 1}, {}, pool.ask(), 1);
  const auto rows = [](Query& query) {
    std::vector<int64_t> all;
    for (const int64_t place : Strategy("margin").select(query, 3).places)
      all.push_back(query.rows()[static_cast<size_t>(place)]);
    return all;
  };
  EXPECT_EQ(rows(forth), rows(back));
  Query whole = pool.query(1), other = pool.query(2), round = pool.query(1, 1);
  EXPECT_NE(rows(whole), rows(other));
  EXPECT_NE(rows(whole), rows(round));
}

TEST(Query, FindsOutWhatItIsAskedAndThatOnce) {
  const ToyPool pool = pool_of(100);
  Query query = pool.query();
  Strategy("random").select(query, 5);
  EXPECT_EQ(pool.asked, 0);
  Strategy("badge").select(query, 5);
  EXPECT_EQ(pool.asked, 100);
  Strategy("k-centre").select(query, 5);
  Strategy("uherding").select(query, 5);
  EXPECT_EQ(pool.asked, 100);
  Query narrowed = query.narrowed(std::vector<int64_t>{5, 3});
  EXPECT_TRUE(narrowed.features()[1].equal(query.features()[3]));
  EXPECT_EQ(pool.asked, 100);
  EXPECT_EQ(narrowed.id(0), query.id(5));
}

}  // namespace
}  // namespace perennial
