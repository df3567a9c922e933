#include "perennial/memory/puridiver.h"

#include <cmath>

#include <ATen/ops/nonzero.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/memory/plane.h"

namespace perennial {
namespace {

at::Tensor random_tensor(int64_t rows, int64_t columns, uint64_t seed) {
  std::vector<float> values;
  Random random(seed, "values");
  for (int64_t i = 0; i < rows * columns; ++i) values.push_back(static_cast<float>(random.normal()));
  return at::tensor(values).view({rows, columns});
}

/// As the paper writes it and the released code does it: everything anew for those that are left.
std::vector<double> scores(const at::Tensor& features, const std::vector<double>& losses, double alpha) {
  const auto n = features.size(0);
  const auto z = [n](const std::vector<double>& v) {
    double mean = 0, variance = 0;
    for (const double x : v) mean += x / static_cast<double>(n);
    for (const double x : v) variance += (x - mean) * (x - mean) / static_cast<double>(n);
    std::vector<double> out;
    for (const double x : v) out.push_back(variance > 1e-12 ? (x - mean) / std::sqrt(variance) : 0);
    return out;
  };
  std::vector<double> similar;
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j)
      sum += (features[i].dot(features[j]) / (features[i].norm() * features[j].norm())).item<double>();
    similar.push_back(sum / static_cast<double>(n));
  }
  const auto a = z(losses), b = z(similar);
  std::vector<double> all;
  for (size_t i = 0; i < a.size(); ++i) all.push_back((1 - alpha) * a[i] + alpha * b[i]);
  return all;
}

TEST(PurityDiversity, RunningSumsRemoveWhomTheFormulaRemoves) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const int64_t n = 5 + static_cast<int64_t>(seed), d = 12;
    const at::Tensor features = random_tensor(n, d, seed),
                     loss = random_tensor(n, 1, 100 + seed).abs().view({n});
    const at::Tensor relevant = PurityDiversity::relevant_dimensions(random_tensor(4, d, 200 + seed), 1);
    const double alpha = static_cast<double>(seed) / 20;
    PurityDiversity running(features, loss, relevant);
    std::vector<int64_t> left;
    for (int64_t i = 0; i < n; ++i) left.push_back(i);
    const at::Tensor own = features.index_select(1, at::nonzero(relevant).squeeze(1));
    while (left.size() > 1) {
      std::vector<double> losses;
      for (const int64_t i : left) losses.push_back(loss[i].item<double>());
      const auto all = scores(own.index_select(0, at::tensor(left)), losses, alpha);
      const auto worst = std::max_element(all.begin(), all.end()) - all.begin();
      const int64_t place = running.remove_worst(alpha);
      EXPECT_NEAR(all[static_cast<size_t>(place)], all[static_cast<size_t>(worst)], 1e-4)
          << seed << " " << left.size();
      left.erase(left.begin() + place);
    }
  }
}

TEST(PurityDiversity, WithoutDiversityTheLargestLossGoes) {
  PurityDiversity scored(random_tensor(4, 3, 1), at::tensor({1.0F, 5.0F, 2.0F, 3.0F}),
                         at::ones({3}, at::kBool));
  EXPECT_EQ(scored.remove_worst(0), 1);
  EXPECT_EQ(scored.remove_worst(0), 2);  // of those left: 1, 2, 3
}

TEST(PurityDiversity, EqualLossesLeaveItToTheDuplicates) {
  const at::Tensor features = at::tensor({1.0F, 0.0F, 1.0F, 0.01F, 0.0F, 1.0F}).view({3, 2});
  PurityDiversity scored(features, at::ones({3}), at::ones({2}, at::kBool));
  EXPECT_NE(scored.remove_worst(0.5), 2);
}

TEST(PurityDiversity, TakesASingleSample) {
  PurityDiversity scored(random_tensor(1, 3, 1), at::ones({1}), at::zeros({3}, at::kBool));
  EXPECT_EQ(scored.remove_worst(0.5), 0);
}

TEST(Puridiver, PurityRisesAboveThatOfTheStream) {
  const Plane plane(5, 3000, 0.4, 1);
  const auto random = filled(plane, {.name = "reservoir"}, 100),
             pure = filled(plane, {.name = "puridiver"}, 100), crops = filled(plane, {.name = "ntd"}, 100);
  EXPECT_NEAR(plane.purity(random->ids()), 0.6, 0.12);
  EXPECT_GT(plane.purity(pure->ids()), 0.93);
  EXPECT_GT(plane.purity(crops->ids()), 0.93);
}

TEST(Puridiver, DiversityIsKeptWhereTheLossAloneCrowds) {
  const Plane plane(4, 3000, 0.2, 2);
  const auto both = filled(plane, {.name = "puridiver", .balance = 0.5}, 80),
             loss = filled(plane, {.name = "puridiver", .balance = 0}, 80);
  EXPECT_GT(plane.diversity(*both), 1.2 * plane.diversity(*loss));
  EXPECT_GT(plane.purity(both->ids()), 0.9);
}

TEST(Puridiver, WithoutPurityLossesCountForNothing) {
  const Plane plane(5, 3000, 0.4, 1);
  const auto blind = filled(plane, {.name = "puridiver", .purity = false}, 100);
  EXPECT_LT(plane.purity(blind->ids()), 0.7);
}

TEST(Puridiver, AnApproximateLookAtTheMemoryShowsTheNetworkLess) {
  const Plane plane(4, 1000, 0.4, 3);
  const auto rows_seen = [&](int64_t refresh) {
    Memory memory(MemoryBudget{.samples = 60});
    PuridiverPolicy policy(1, 0.5, true, refresh);
    int64_t seen = 0;
    for (int64_t at = 0; at < plane.size(); at += 8)
      policy.offer(memory, plane.samples(at, 8), plane.ask(&seen));
    EXPECT_GT(plane.purity(memory.ids()), 0.9) << refresh;
    return seen;
  };
  EXPECT_LT(rows_seen(8), rows_seen(1) / 3);
}

TEST(Puridiver, GoesOnFromASavedStateWithWhatItKnewOfTheMemory) {
  const Plane plane(4, 400, 0.3, 4);
  Memory whole(MemoryBudget{.samples = 40}), broken(MemoryBudget{.samples = 40});
  PuridiverPolicy policy(1, 0.5, true, 8);
  auto reloaded = std::make_unique<PuridiverPolicy>(1, 0.5, true, 8);
  for (int64_t at = 0; at < plane.size(); at += 8) {
    policy.offer(whole, plane.samples(at, 8), plane.ask());
    reloaded->offer(broken, plane.samples(at, 8), plane.ask());
    State state;
    reloaded->save(state, "p.");
    reloaded = std::make_unique<PuridiverPolicy>(1, 0.5, true, 8);
    reloaded->load(state, "p.");
  }
  EXPECT_EQ(whole.ids(), broken.ids());
}

}  // namespace
}  // namespace perennial
