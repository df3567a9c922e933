// Each rule on pools whose truth is known, and beside its formula done the plain way.
#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/query/badge.h"
#include "perennial/query/clusters.h"
#include "perennial/query/distances.h"
#include "perennial/query/k_centre.h"
#include "perennial/query/representatives.h"
#include "perennial/query/strategy.h"
#include "tests/query/fixtures.h"

namespace perennial {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

at::Tensor rows(std::initializer_list<std::initializer_list<float>> values) {
  std::vector<at::Tensor> all;
  for (const auto& row : values) all.push_back(at::tensor(std::vector<float>(row)).unsqueeze(0));
  return at::cat(all);
}

/// Vectors are the probabilities.
ToyPool certain_pool() {
  return ToyPool(rows({{0.98F, 0.01F, 0.01F}, {0.5F, 0.49F, 0.01F}, {0.4F, 0.3F, 0.3F}, {0.6F, 0.2F, 0.2F}}),
                 [](const at::Tensor& x) { return at::log(x.clamp_min(1e-9)); });
}

std::vector<int64_t> picks(const ToyPool& pool, const std::string& strategy, int64_t budget) {
  Query query = pool.query();
  return Strategy(strategy).select(query, budget).places;
}

TEST(Uncertainty, OrdersByItsFormula) {
  const ToyPool pool = certain_pool();
  EXPECT_THAT(picks(pool, "least-confidence", 4), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(picks(pool, "margin", 4), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(picks(pool, "entropy", 4), ElementsAre(2, 3, 1, 0));
  Query query = pool.query();
  const auto margin = Strategy("margin").select(query, 1);
  ASSERT_EQ(margin.scores.size(), 1U);
  EXPECT_EQ(margin.scores[0].first, "margin");
  EXPECT_NEAR(margin.scores[0].second[0], 0.99, 1e-5);
}

// Features 0 to 7 speak for class 0 and no other; a sample that rests on one of them is lost when it drops.
TEST(Bald, FindsWhatPassesDisagreeOn) {
  at::Tensor x = at::zeros({20, 8});
  for (int64_t i = 0; i < 20; ++i)
    if (i == 13)
      x[i][0] = 8;  // rests on one
    else
      x[i].fill_(1);
  const ToyPool pool(x, [](const at::Tensor& v) {
    const at::Tensor sum = v.sum(1, true);
    return at::cat({4 * sum - 12, 12 - 4 * sum}, 1);
  });
  EXPECT_EQ(picks(pool, "bald", 1), std::vector<int64_t>{13});
}

std::vector<int64_t> plain_farthest(const at::Tensor& x, const at::Tensor& centres, int64_t count) {
  std::vector<int64_t> chosen;
  at::Tensor all = centres;
  while (std::ssize(chosen) < count) {
    at::Tensor nearest = (x.unsqueeze(1) - all.unsqueeze(0)).square().sum(2).amin(1);
    for (const int64_t gone : chosen) nearest[gone] = -1;
    chosen.push_back(nearest.argmax().item<int64_t>());
    all = at::cat({all, x.narrow(0, chosen.back(), 1)});
  }
  return chosen;
}

TEST(KCentre, IsTheGreedyRule) {
  const at::Tensor x = normal_rows(200, 5), centres = normal_rows(3, 5, 2);
  EXPECT_EQ(farthest_first(x, centres, 60).places, plain_farthest(x, centres, 60));
}

TEST(KCentre, IsAtMostTwiceAsFarAsTheBest) {
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const at::Tensor x = normal_rows(12, 2, seed);
    const auto radius = [&](const std::vector<int64_t>& chosen) {
      return std::sqrt(
          squared_distances(x, x.index_select(0, as_index(chosen))).amin(1).max().item<double>());
    };
    double best = INFINITY;
    for (int64_t a = 0; a < 12; ++a)
      for (int64_t b = 0; b < a; ++b)
        for (int64_t c = 0; c < b; ++c) best = std::min(best, radius({a, b, c}));
    EXPECT_LE(radius(farthest_first(x, at::zeros({0, 2}), 3).places), 2 * best + 1e-6);
  }
}

TEST(KCentre, LeavesJunkOutOfItsCentres) {
  const ToyPool pool(rows({{0, 0}, {10, 0}, {0, 1}, {10, 1}}));
  Query query = pool.query({0, 1}, {0, kNoneOfThese});
  EXPECT_EQ(query.rows()[static_cast<size_t>(Strategy("k-centre").select(query, 1).places[0])], 3);
}

// The dense form: gradients [N, classes * D] made, the same draws.
TEST(Badge, FactorsGiveWhatTheGradientsThemselvesDo) {
  const at::Tensor h = normal_rows(60, 7), q = at::softmax(normal_rows(60, 4, 2), 1) - 0.25;
  const FactorisedGradients factors{q, h};
  const at::Tensor dense = (q.unsqueeze(2) * h.unsqueeze(1)).reshape({60, 28});
  const FactorisedGradients whole{at::ones({60, 1}), dense};
  for (uint64_t seed = 1; seed < 6; ++seed) {
    const Ranked a = kmeans_plus_plus(factors, 12, Random(seed, "draws"));
    EXPECT_EQ(a.places, kmeans_plus_plus(whole, 12, Random(seed, "draws")).places);
    EXPECT_EQ(a.places[0], dense.norm(2, 1).argmax().item<int64_t>());
    EXPECT_EQ(std::set<int64_t>(a.places.begin(), a.places.end()).size(), 12U);
  }
}

TEST(Badge, EqualGradientsAreNoFault) {
  const FactorisedGradients same{at::ones({5, 2}), at::zeros({5, 3})};
  EXPECT_EQ(kmeans_plus_plus(same, 9, Random(1, "draws")).places.size(), 5U);
}

/// Three blobs far from each other and a few that belong to none.
at::Tensor three_blobs_and_outliers() {
  const at::Tensor far = 100 * normal_rows(4, 2, 9);
  return at::cat({blobs(rows({{0, 0}, {30, 0}, {0, 30}}), 40, 1), far});
}

std::set<int64_t> blobs_of(const std::vector<int64_t>& places) {
  std::set<int64_t> all;
  for (const int64_t place : places) all.insert(place / 40);
  return all;
}

TEST(Typiclust, TakesATypicalOneOfEachCluster) {
  const ToyPool pool(three_blobs_and_outliers());
  const auto chosen = picks(pool, "typiclust", 7);  // as many clusters: the three, and one an outlier
  ASSERT_EQ(chosen.size(), 7U);
  EXPECT_THAT(blobs_of({chosen[0], chosen[1], chosen[2]}), UnorderedElementsAre(0, 1, 2));
  // Typicality itself: the mean distance to the nearest others.
  const at::Tensor line = rows({{0}, {1}, {2}, {10}});
  EXPECT_TRUE(at::allclose(typicality(line, 2), at::tensor({1 / 1.5F, 1 / 1.0F, 1 / 1.5F, 1 / 8.5F})));
}

TEST(Typiclust, GoesWhereNothingIsLabelledYet) {
  const ToyPool pool(blobs(rows({{0, 0}, {30, 0}, {0, 30}}), 40, 1));
  Query query = pool.query({3, 50}, {0, 1});
  const auto chosen = Strategy("typiclust").select(query, 1);
  EXPECT_EQ(query.rows()[static_cast<size_t>(chosen.places[0])] / 40, 2);
}

TEST(Probcover, CoversTheMostFirst) {
  const at::Tensor angles = at::cat({at::full({30}, 0.0F), at::full({20}, 1.0F), at::full({10}, 2.0F)});
  const at::Tensor spread = angles + 0.02 * normal_rows(60, 1).squeeze(1);
  const ToyPool pool(at::cat({spread.cos().unsqueeze(1), spread.sin().unsqueeze(1)}, 1));
  StrategyOptions options;
  options.radius = 0.3;
  Query query = pool.query();
  const auto chosen = Strategy("probcover", options).select(query, 3).places;
  EXPECT_LT(chosen[0], 30);
  EXPECT_TRUE(chosen[1] >= 30 && chosen[1] < 50);
  EXPECT_GE(chosen[2], 50);
  options = {.classes = 3};  // the radius is chosen
  EXPECT_EQ(Strategy("probcover", options).select(query, 3).places.size(), 3U);
}

TEST(Herding, LazyPicksAreThoseOfThePlainGreedy) {
  const at::Tensor x = normal_rows(150, 3), covered = normal_rows(4, 3, 5);
  const at::Tensor weights = normal_rows(150, 1, 3).abs().squeeze(1);
  const double sigma = 0.8;
  const at::Tensor kernel = (squared_distances(x, x) / (-sigma * sigma)).exp();
  at::Tensor reached = (squared_distances(x, covered).amin(1) / (-sigma * sigma)).exp();
  std::vector<int64_t> plain;
  for (int i = 0; i < 40; ++i) {
    at::Tensor gain = (kernel - reached.unsqueeze(0)).clamp_min(0).mv(weights);
    for (const int64_t gone : plain) gain[gone] = -1;
    plain.push_back(gain.argmax().item<int64_t>());
    reached = at::maximum(reached, kernel[plain.back()]);
  }
  EXPECT_EQ(herd(x, covered, weights, sigma, 40).places, plain);
}

TEST(Herding, UncertaintyMovesTheCover) {
  const at::Tensor angles =
      at::cat({at::full({40}, 0.0F), at::full({10}, 2.0F)}) + 0.05 * normal_rows(50, 1).squeeze(1);
  // Sure near angle 0, torn at angle 2.
  const ToyPool pool(at::cat({angles.cos().unsqueeze(1), angles.sin().unsqueeze(1)}, 1),
                     [](const at::Tensor& x) {
                       const at::Tensor sure = x.select(1, 0) > 0;
                       return at::cat({(9 * sure).to(at::kFloat).unsqueeze(1), at::zeros({x.size(0), 1})}, 1);
                     });
  EXPECT_LT(picks(pool, "maxherding", 1)[0], 40);
  EXPECT_GE(picks(pool, "uherding", 1)[0], 40);
}

TEST(Kmeans, FindsTheBlobsAndTheirMiddle) {
  const at::Tensor centres = rows({{0, 0}, {30, 0}, {0, 30}});
  const ToyPool pool(blobs(centres, 40, 1));
  const auto chosen = picks(pool, "kmeans", 3);
  EXPECT_THAT(blobs_of(chosen), UnorderedElementsAre(0, 1, 2));
  const Clusters clusters = kmeans(blobs(centres, 40, 1), 3, Random(1, "k"));
  for (const auto& members : clusters.members()) EXPECT_EQ(members.size(), 40U);
}

TEST(Kmeans, FewerDifferentRowsThanClusters) {
  const ToyPool pool(at::zeros({6, 2}));
  EXPECT_THAT(picks(pool, "kmeans", 4), testing::SizeIs(4));
  EXPECT_THAT(picks(pool, "typiclust", 4), testing::SizeIs(4));
  EXPECT_THAT(picks(pool, "probcover", 4), testing::SizeIs(4));
  EXPECT_THAT(picks(pool, "k-centre", 4), testing::SizeIs(4));
}

// What rests on one feature is another class without it; what rests on many stays.
TEST(Dropquery, AsksAboutWhatDropoutChanges) {
  at::Tensor x = at::ones({40, 16});
  for (const int64_t i : {3, 17, 30}) x[i].zero_(), x[i][0] = 1;
  const ToyPool pool(x, [](const at::Tensor& v) {
    const at::Tensor sum = v.sum(1, true);
    return at::cat({sum - 0.5, 0.5 - sum}, 1);
  });
  EXPECT_THAT(picks(pool, "dropquery", 2), testing::IsSubsetOf({3, 17, 30}));
}

TEST(Balance, EvensOutTheClassesOfWhatIsLabelled) {
  at::Tensor x = at::zeros({30, 2});
  x.select(1, 0).narrow(0, 0, 20).fill_(1);   // 20 of class 0
  x.select(1, 1).narrow(0, 20, 10).fill_(1);  // 10 of class 1
  const ToyPool pool(x, [](const at::Tensor& v) { return 5 * v; });
  Query query = pool.query({0, 1, 2}, {0, 0, 0});
  int64_t of_one = 0;
  for (const int64_t place : Strategy("random:100% | balance").select(query, 7).places)
    of_one += query.rows()[static_cast<size_t>(place)] >= 20 ? 1 : 0;
  EXPECT_EQ(of_one, 5);  // 3 + 2 of one class, 5 of the other
}

}  // namespace
}  // namespace perennial
