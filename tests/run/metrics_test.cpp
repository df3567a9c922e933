#include "perennial/run/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perennial {
namespace {

// Two tasks of one class each; ten test images a class.
struct TwoTasks {
  TwoTasks() {
    train.class_names = {"a", "b"};
    train.labels = {0, 1};
    metrics = Metrics(train, {{{0}, {0}}, {{1}, {1}}});
  }
  static Evaluation right(int64_t a, int64_t b) { return {{10, 10}, {a, b}, {{a, 10 - a}, {10 - b, b}}}; }
  Dataset train;
  Metrics metrics;
};

TEST(Metrics, FollowTheirDefinitions) {
  TwoTasks t;
  t.metrics.add_task(TwoTasks::right(9, 0), 100, {1, 0}, {0, 0});
  t.metrics.add_task(TwoTasks::right(4, 8), 200, {1, 1}, {0, 1});
  const auto m = t.metrics.to_json(80);
  EXPECT_DOUBLE_EQ(m["a_last"], 0.6);             // 12 of 20
  EXPECT_DOUBLE_EQ(m["a_avg"], (0.9 + 0.6) / 2);  // only class a counted after task 1
  EXPECT_DOUBLE_EQ(m["f_last"], 0.9 - 0.4);
  EXPECT_NEAR(m["i_last"], 0.2, 1e-12);
  EXPECT_TRUE(m["a_auc"].is_null());
  EXPECT_TRUE(m["accuracy_matrix"][0][1].is_null());  // class b had not come
  EXPECT_EQ(m["per_class"]["b"], 0.8);
}

TEST(Metrics, BestEpochIsKeptApartFromTheLast) {
  TwoTasks t;
  t.metrics.add_epoch(TwoTasks::right(9, 9), 0, 1, 3, {1, 1});
  t.metrics.add_epoch(TwoTasks::right(5, 5), 0, 2, 3, {1, 1});
  t.metrics.add_task(TwoTasks::right(5, 5), 100, {1, 1}, {});
  const auto m = t.metrics.to_json(0);
  EXPECT_DOUBLE_EQ(m["best_epoch"][0]["accuracy"], 0.9);
  EXPECT_EQ(m["best_epoch"][0]["epoch"], 1);
  EXPECT_DOUBLE_EQ(m["a_last"], 0.5);
}

TEST(Metrics, SavedAndLoadedAreTheSame) {
  TwoTasks t;
  t.metrics.add_point(TwoTasks::right(3, 0), 50, 0, {1, 0});
  t.metrics.add_task(TwoTasks::right(9, 0), 100, {1, 0}, {0});
  Metrics other;
  other.load(nlohmann::json::parse(t.metrics.save().dump()));
  EXPECT_EQ(other.to_json(0), t.metrics.to_json(0));
  EXPECT_EQ(other.to_csv(), t.metrics.to_csv());
  EXPECT_THAT(other.to_csv(), testing::HasSubstr("interval,50,1,0.300000"));
}

}  // namespace
}  // namespace perennial
