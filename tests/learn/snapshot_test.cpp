#include <atomic>
#include <mutex>
#include <thread>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(Snapshot, StaysAsItWasWhileLearningGoesOn) {
  for (const std::string& name : all_methods()) {
    SCOPED_TRACE(name);
    const auto learner = make_learner({name, {{"epochs", "3"}}});
    const Samples test = halves(50, {0, 1, 2, 3}, 2, 1000);
    learn_task(*learner, halves(60, {0, 1}, 1));
    const auto snapshot = learner->snapshot();
    const at::Tensor before = learner->predict(test);
    EXPECT_TRUE(at::equal(snapshot->predict(test), before));
    learn_task(*learner, halves(60, {2, 3}, 1, 60));
    EXPECT_TRUE(at::equal(snapshot->predict(test), before));
    EXPECT_FALSE(at::equal(learner->predict(test), before));
  }
}

TEST(Snapshot, OutlivesItsLearner) {
  std::shared_ptr<const Predictor> snapshot;
  {
    const auto learner = make_learner({"er", {{"epochs", "20"}}});
    learn_task(*learner, halves(100, {0, 1}, 1));
    snapshot = learner->snapshot();
  }
  EXPECT_GT(accuracy(*snapshot, halves(100, {0, 1}, 2, 1000)), 0.9);
}

// Every answer of a reader is the one that the snapshot it holds gives alone.
TEST(Snapshot, FourReadersWhileLearningGoesOn) {
  LearnerSetup setup = small_setup();
  setup.model.name = "resnet20";
  setup.input_shape = {1, 8, 8};
  const auto images = [](int64_t n, const std::vector<int64_t>& classes, int64_t first_id) {
    const Samples small = halves(n, classes, 1, first_id);
    const at::Tensor large =
        small.tensor(column::kImage).repeat_interleave(2, 2).repeat_interleave(2, 3).contiguous();
    return small.with(column::kImage, large);
  };
  const auto learner = make_learner({"er", {{"epochs", "2"}}}, setup);
  const Samples task = images(64, {0, 1}, 0), more = images(64, {2, 3}, 64),
                test = images(16, {0, 1, 2, 3}, 999);
  learn_task(*learner, task);

  std::mutex lock;
  std::shared_ptr<const Predictor> newest = learner->snapshot();
  std::atomic<bool> done = false;
  std::atomic<int64_t> answers = 0, wrong = 0;
  const auto read = [&] {
    while (!done || answers < 8) {
      std::shared_ptr<const Predictor> mine;
      {
        const std::lock_guard<std::mutex> guard(lock);
        mine = newest;
      }
      const at::Tensor first = mine->predict(test), second = mine->predict(test);
      if (!at::equal(first, second)) ++wrong;
      ++answers;
    }
  };
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i) readers.emplace_back(read);
    const auto publish = [&] {
      auto snapshot = learner->snapshot();
      const std::lock_guard<std::mutex> guard(lock);
      newest = std::move(snapshot);
    };
    Progress silent;
    for (const Samples& next : {more, task}) {
      observe(*learner, next, publish);
      while (learner->consolidate(silent)) publish();
    }
    done = true;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(answers, 8);

  // And readers changed nothing of what was learned.
  const auto alone = make_learner({"er", {{"epochs", "2"}}}, setup);
  for (const Samples& next : {task, more, task}) learn_task(*alone, next);
  EXPECT_TRUE(differences(*alone, *learner).empty());
}

}  // namespace
}  // namespace perennial
