#include "perennial/nn/schedule.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

/// The rate of every step that a learner takes in its consolidations of tasks of 40 samples.
std::vector<double> rates(const std::string& learner, const std::string& schedule, int64_t epochs,
                          int tasks) {
  std::vector<double> all;
  LearnerSetup setup = small_setup();
  setup.on_step = [&](const TrainingStep& step) { all.push_back(step.lr); };
  const auto built = make_learner(
      {learner,
       {{"train.schedule", schedule}, {"epochs", std::to_string(epochs)}, {"train.stream_lr_factor", "0"}}},
      setup);
  for (int task = 0; task < tasks; ++task) learn_task(*built, halves(40, {0, 1}, 1, 40 * task));
  std::erase(all, 0.0);  // the stream pass
  return all;
}

// What the trainer asks of a schedule, over all epochs and steps: a learner of 20 samples in memory takes
// three steps of 8 an epoch, one of a task's 40 samples three of 16.
TEST(Schedule, OfEveryLearnerGoesOnceThroughAPhase) {
  for (const auto& [learner, steps] : std::vector<std::pair<std::string, int64_t>>{
           {"er", 3}, {"rm", 3}, {"ewc", 3}, {"finetune", 3}, {"rm-offline", 3}}) {
    constexpr int64_t kEpochs = 35;
    for (const char* schedule :
         {"cosine", "warm_restarts", "rainbow_warm_restarts", "multistep", "constant"}) {
      const auto got = rates(learner, schedule, kEpochs, 1);
      ASSERT_EQ(got.size(), static_cast<size_t>(kEpochs * steps)) << learner << " " << schedule;
      for (int64_t epoch = 0; epoch < kEpochs; ++epoch)
        for (int64_t step = 0; step < steps; ++step) {
          const double share = static_cast<double>(epoch * steps + step) / (kEpochs * steps);
          const std::map<std::string, double> expected{
              {"cosine", 0.05 * (1 + std::cos(M_PI * share)) / 2},
              {"warm_restarts", warm_restarts(0.05, epoch)},
              {"rainbow_warm_restarts", rainbow_warm_restarts(0.05, epoch)},
              {"multistep", epoch == 0    ? 0.005
                            : epoch <= 30 ? 0.05
                                          : 0.005},
              {"constant", 0.05}};
          EXPECT_NEAR(got[epoch * steps + step], expected.at(schedule), 1e-9)
              << learner << " " << schedule << " epoch " << epoch << " step " << step;
        }
    }
  }
}

TEST(Schedule, BeginsAnewAtEachTask) {
  const auto got = rates("rm", "cosine", 4, 2);
  ASSERT_EQ(got.size(), 24U);
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(got[i], got[i + 12]);
}

}  // namespace
}  // namespace perennial
