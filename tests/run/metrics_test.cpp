#include "perennial/run/metrics.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perennial {
namespace {

Measurement measured(double all, std::vector<double> per_task) {
  return {{{"accuracy", all}}, std::move(per_task)};
}

TEST(Metrics, FollowTheirDefinitions) {
  Metrics metrics("accuracy");
  metrics.add_task(measured(0.9, {0.9, NAN}), 100);
  metrics.add_task(measured(0.6, {0.4, 0.8}), 200);
  const auto m = metrics.to_json(80);
  EXPECT_DOUBLE_EQ(m["a_last"], 0.6);
  EXPECT_DOUBLE_EQ(m["a_avg"], (0.9 + 0.6) / 2);
  EXPECT_DOUBLE_EQ(m["f_last"], 0.9 - 0.4);
  EXPECT_NEAR(m["i_last"], 0.2, 1e-12);
  EXPECT_TRUE(m["a_auc"].is_null());
  EXPECT_TRUE(m["accuracy_matrix"][0][1].is_null());  // had not come
  EXPECT_EQ(m["scores"]["accuracy"], 0.6);
}

// An update brings another column: what was measured before it came is unknown there.
TEST(Metrics, GoOnOverUpdates) {
  Metrics metrics("accuracy");
  metrics.add_task(measured(0.9, {0.9}), 100);
  metrics.add_task(measured(0.7, {0.6, 0.8}), 130);
  metrics.add_task(measured(0.5, {NAN, 0.5, 0.5}), 150);  // the first test part is gone
  const auto m = metrics.to_json(0);
  EXPECT_EQ(m["accuracy_matrix"].size(), 3U);
  for (const auto& row : m["accuracy_matrix"]) EXPECT_EQ(row.size(), 3U);
  EXPECT_TRUE(m["accuracy_matrix"][0][2].is_null());
  EXPECT_NEAR(m["f_last"], 0.3, 1e-12);  // of the second alone
  EXPECT_EQ(m["task_samples"], (std::vector<int64_t>{100, 130, 150}));
}

TEST(Metrics, BestEpochIsKeptApartFromTheLast) {
  Metrics metrics("accuracy");
  metrics.add_epoch(measured(0.9, {}), 0, 1, 3);
  metrics.add_epoch(measured(0.5, {}), 0, 2, 3);
  metrics.add_task(measured(0.5, {0.5}), 100);
  const auto m = metrics.to_json(0);
  EXPECT_DOUBLE_EQ(m["best_epoch"][0]["accuracy"], 0.9);
  EXPECT_EQ(m["best_epoch"][0]["epoch"], 1);
  EXPECT_DOUBLE_EQ(m["a_last"], 0.5);
}

TEST(Metrics, OtherHeadlinesHaveTheirOwnNames) {
  Metrics metrics("ap50");
  metrics.add_point({{{"ap50", 0.2}, {"recall", 0.4}}, {0.2}, {{"loss", 3.5}}}, 50, 0, 2);
  metrics.add_task({{{"ap50", 0.3}, {"recall", 0.5}}, {0.3}}, 100);
  const auto m = metrics.to_json(0);
  EXPECT_EQ(m["headline"], "ap50");
  EXPECT_EQ(m["ap50_matrix"][0][0], 0.3);
  EXPECT_EQ(m["task_ap50"][0], 0.3);
  EXPECT_EQ(m["curve"][0]["recall"], 0.4);
  EXPECT_EQ(m["curve"][0]["loss"], 3.5);
  EXPECT_EQ(m["a_auc"], 0.2);
  EXPECT_THAT(metrics.to_csv(), testing::StartsWith("event,samples,task,ap50\n"));
}

TEST(Metrics, SavedAndLoadedAreTheSame) {
  Metrics metrics("accuracy"), other("accuracy");
  metrics.add_point(measured(0.3, {0.3, NAN}), 50, 0, 0);
  metrics.add_task(measured(0.9, {0.9, NAN}), 100);
  metrics.add_update({{"data", "x"}});
  other.load(nlohmann::json::parse(metrics.save().dump()));
  EXPECT_EQ(other.to_json(0), metrics.to_json(0));
  EXPECT_EQ(other.to_csv(), metrics.to_csv());
  EXPECT_THAT(other.to_csv(), testing::HasSubstr("interval,50,1,0.300000"));
}

}  // namespace
}  // namespace perennial
