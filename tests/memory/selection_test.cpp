// Each rule of selection on points in the plane, where the truth is known.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/memory/admission.h"
#include "perennial/memory/aser.h"
#include "perennial/memory/gss.h"
#include "perennial/memory/importance.h"
#include "perennial/memory/knn_shapley.h"
#include "perennial/memory/spread.h"
#include "tests/memory/plane.h"

namespace perennial {
namespace {

TEST(Reservoir, KeepsEachSampleWithTheSameProbability) {
  const Plane plane(3, 200, 0, 1);
  std::vector<int> kept(10, 0);
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const auto memory = filled(plane, {.name = "reservoir"}, 20, seed);
    for (const int64_t id : memory->ids()) ++kept[static_cast<size_t>(id / 20)];
  }
  for (const int count : kept) EXPECT_NEAR(count, 400, 80);  // of 200 x 20 kept, a tenth from each tenth
}

// A hundred copies of one point and ten others: of random samples nearly all are copies.
TEST(Gss, AvoidsDuplicates) {
  std::vector<int64_t> ids, labels;
  std::vector<float> xy;
  for (int64_t i = 0; i < 240; ++i) {
    Random random(1, "points", 0, static_cast<uint64_t>(i));
    const bool copy = i % 12 != 0;
    ids.push_back(i), labels.push_back(copy ? 0 : static_cast<int64_t>(random.below(2)));
    xy.push_back(copy ? 1.0F : static_cast<float>(3 * random.normal()));
    xy.push_back(copy ? 0.5F : static_cast<float>(3 * random.normal()));
  }
  const Samples all(ids,
                    {{column::kVector, at::tensor(xy).view({240, 2})}, {column::kLabel, at::tensor(labels)}});
  const auto ask = [](const Samples& samples) {
    auto told = std::make_unique<Told>(samples, 2);
    told->features_told = samples.tensor(column::kVector);
    told->logits_told = at::zeros({samples.size(), 2});
    return told;
  };
  const auto others = [&](const std::string& name) {
    int64_t count = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      Memory memory(MemoryBudget{.samples = 20});
      const auto policy = make_policy({.name = name}, seed);
      for (int64_t at = 0; at < 240; at += 4) policy->offer(memory, slice(all, at, 4), ask);
      EXPECT_EQ(memory.size(), 20);
      for (const int64_t id : memory.ids()) count += id % 12 == 0 ? 1 : 0;
    }
    return count;
  };
  EXPECT_GT(others("gss"), 1.5 * static_cast<double>(others("reservoir")));
}

TEST(KnnShapley, IsTheShapleyValueOfBeingRight) {
  // Four candidates on a line and one sample to judge: the mean over all orders of what each adds.
  const at::Tensor candidates = at::tensor({1.0F, 2.0F, 4.0F, 8.0F}).view({4, 1}), judge = at::zeros({1, 1});
  const at::Tensor labels = at::tensor({int64_t{1}, int64_t{0}, int64_t{1}, int64_t{1}}),
                   wanted = at::tensor({int64_t{1}});
  constexpr int64_t k = 2;
  const auto right = [&](const std::set<int64_t>& some) {  // share of k that is right among the k nearest
    double count = 0, seen = 0;
    for (const int64_t i : some)
      if (seen++ < k) count += labels[i].item<int64_t>() == 1 ? 1 : 0;
    return count / k;
  };
  std::vector<int64_t> order{0, 1, 2, 3};
  std::vector<double> value(4, 0);
  int orders = 0;
  do {
    std::set<int64_t> some;
    for (const int64_t i : order) {
      const double before = right(some);
      some.insert(i);
      value[static_cast<size_t>(i)] += right(some) - before;
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  const at::Tensor found = knn_shapley(judge, wanted, candidates, labels, k);
  for (int64_t i = 0; i < 4; ++i)
    EXPECT_NEAR(found[0][i].item<double>(), value[static_cast<size_t>(i)] / orders, 1e-6) << i;
}

TEST(Aser, ReplaysWhatSpeaksForTheMemoryAndAgainstTheBatch) {
  const Plane plane(4, 400, 0, 5);
  const auto memory = filled(plane, {.name = "greedy_balanced"}, 80);
  const Samples batch = plane.samples(0, 8);
  const auto rows = adversarial_rows(*memory, batch, plane.ask(), 8, 3, true, Random(1, "test"));
  EXPECT_EQ(rows.size(), 8U);
  EXPECT_EQ(std::set<int64_t>(rows.begin(), rows.end()).size(), 8U);
}

// Wrong labels speak for no neighbour.
TEST(Aser, KeepsWhatItsNeighboursAgreeWith) {
  const Plane plane(5, 3000, 0.3, 6);
  EXPECT_GT(plane.purity(filled(plane, {.name = "aser"}, 100)->ids()), 0.85);
}

TEST(Importance, TheLeastImportantOfTheLargestClassGoes) {
  const Plane plane(2, 40, 0, 7);
  Memory memory(MemoryBudget{.samples = 10});
  ImportanceMemory policy(0.5);
  policy.offer(memory, plane.samples(0, 10), plane.ask());
  std::vector<float> losses(10, 1.0F);
  EXPECT_FALSE(policy.trained_on(memory, {}, losses).has_value());
  for (float& loss : losses) loss = 0.5F;
  const auto classes = rows_by_label(memory.labels());
  const auto& largest = classes.at(0).size() >= classes.at(1).size() ? classes.at(0) : classes.at(1);
  std::vector<int64_t> trained = memory.ids();
  const int64_t idle = memory.ids()[static_cast<size_t>(largest.back())];
  std::erase(trained, idle);
  EXPECT_EQ(policy.trained_on(memory, trained, losses), 0.5);  // what the loss fell by
  EXPECT_EQ(policy.importance(idle), 0);
  EXPECT_EQ(policy.importance(trained.front()), 0.25);
  const Samples next = take(plane.samples(10, 30), std::vector<int64_t>{[&] {
                              const auto label = memory.labels()[static_cast<size_t>(largest.back())];
                              const Samples rest = plane.samples(10, 30);
                              int64_t row = 0;
                              while (rest.labels()[static_cast<size_t>(row)] != label) ++row;
                              return row;
                            }()});
  policy.offer(memory, next, plane.ask());
  EXPECT_THAT(memory.ids(), testing::Not(testing::Contains(idle)));
  EXPECT_THAT(memory.ids(), testing::Contains(next.ids().front()));
}

TEST(Spread, TheNeighboursThatStandForFewestBecomeOne) {
  EXPECT_EQ(SpreadPolicy::lightest_pair({9, 3, 3, 1, 8}), 2U);
  EXPECT_EQ(SpreadPolicy::lightest_pair({1, 1, 1, 1}, 2), 2U);
  EXPECT_EQ(SpreadPolicy::lightest_pair({5, 7}, 9), 0U);
}

/// How far apart the ranks of uncertainty lie, within its class, of the samples that were kept: the largest
/// gap between two neighbours, of a share of 1.
double largest_gap(const Plane& plane, const std::vector<int64_t>& kept) {
  const Samples all = plane.samples(0, plane.size());
  const std::vector<float> u = plane.ask()(all)->uncertainty();
  double largest = 0;
  for (const auto& [label, rows] : rows_by_label(all.labels())) {
    std::vector<std::pair<float, int64_t>> order;
    for (const int64_t row : rows) order.emplace_back(u[static_cast<size_t>(row)], row);
    std::sort(order.begin(), order.end());
    size_t last = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const bool is_kept = std::find(kept.begin(), kept.end(), order[i].second) != kept.end();
      if (!is_kept && i + 1 < order.size()) continue;
      largest = std::max(largest, static_cast<double>(i - last) / static_cast<double>(order.size()));
      last = i;
    }
  }
  return largest;
}

TEST(Spread, RanksOfUncertaintyAreSpreadAndClassesEquallyMany) {
  double spread = 0, random = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const Plane plane(4, 2000, 0, seed);
    const auto kept = filled(plane, {.name = "spread", .refresh = 8}, 80);
    for (const auto& [label, rows] : rows_by_label(kept->labels())) EXPECT_EQ(rows.size(), 20U);
    spread += largest_gap(plane, kept->ids());
    random += largest_gap(plane, filled(plane, {.name = "balanced_reservoir"}, 80)->ids());
  }
  EXPECT_LT(spread, 0.9 * random);
}

// A sample that comes again stands for itself, whatever the one in memory stands for.
TEST(Spread, TheSameSamplesAgainDoNotFillTheMemory) {
  const Plane plane(2, 800, 0, 9);
  Memory memory(MemoryBudget{.samples = 40});
  const auto policy = make_policy({.name = "spread", .refresh = 8}, 1);
  plane.offer_all(*policy, memory);
  plane.offer_all(*policy, memory);
  const std::set<int64_t> ids(memory.ids().begin(), memory.ids().end());
  EXPECT_GT(ids.size(), 36U);
}

// What came late is there a little more often: it has met fewer who stand for many.
TEST(Spread, EarlyAndLateSamplesAreBothThere) {
  const Plane plane(3, 600, 0, 1);
  std::vector<double> kept(4, 0);
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const auto memory = filled(plane, {.name = "spread", .refresh = 4}, 60, seed);
    for (const int64_t id : memory->ids()) kept[static_cast<size_t>(id / 150)] += 1.0 / (40 * 60);
  }
  for (const double share : kept) EXPECT_NEAR(share, 0.25, 0.09);
}

TEST(BalancedReservoir, ARareClassIsKeptAndEachIsAUniformSampleOfItsOwn) {
  // Class 0 alone for the first half; class 1 comes in the second, then class 2: 0 and 1 shrink.
  const int64_t n = 1200;
  const auto label_of = [](int64_t i) -> int64_t {
    return i < 600 || i % 4 == 0 ? 0 : i < 900 ? 1 : i % 2 + 1;
  };
  std::vector<int64_t> ids, labels;
  std::vector<double> all(3, 0), late(3, 0);
  const auto is_late = [](int64_t i) { return i >= 900; };
  for (int64_t i = 0; i < n; ++i) {
    ids.push_back(i), labels.push_back(label_of(i));
    all[static_cast<size_t>(label_of(i))] += 1;
    late[static_cast<size_t>(label_of(i))] += is_late(i) ? 1 : 0;
  }
  const Samples stream(ids, {{column::kVector, at::zeros({n, 2})}, {column::kLabel, at::tensor(labels)}});
  std::vector<double> kept(3, 0), kept_late(3, 0);
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    Memory memory(MemoryBudget{.samples = 42});
    const auto policy = make_policy({.name = "balanced_reservoir"}, seed);
    for (int64_t at = 0; at < n; at += 8) policy->offer(memory, slice(stream, at, 8));
    EXPECT_EQ(memory.size(), 42);
    for (const int64_t id : memory.ids()) {
      const auto label = static_cast<size_t>(label_of(id));
      kept[label] += 1, kept_late[label] += is_late(id) ? 1 : 0;
    }
  }
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(kept[c] / 80, 14, 1.5) << c;
    EXPECT_NEAR(kept_late[c] / kept[c], late[c] / all[c], 0.06) << c;
  }
}

TEST(ShrinkLargest, TakesFromTheLargestUntilTheyFit) {
  const std::vector<int64_t> labels{0, 0, 0, 0, 1, 1, 2};
  const auto stays = shrink_largest(labels, 5, Random(1, "test"), [](int64_t, const auto&) { return 0; });
  EXPECT_THAT(stays, testing::ElementsAre(0, 0, 1, 1, 1, 1, 1));
}

}  // namespace
}  // namespace perennial
