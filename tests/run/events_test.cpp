// What TensorBoard is shown of a run.
#include "tests/run/events.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"
#include "tests/base/temporary_folder.h"
#include "tests/run/interruption.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Key;

Settings small(const std::string& learner) {
  return {{"learner", learner},   {"data", "digits"},
          {"memory", "50"},       {"tasks", "3"},
          {"epochs", "4"},        {"threads", "1"},
          {"model.width", "0.1"}, {"stream.limit", "300"},
          {"eval.every", "70"},   {"checkpoint.seconds", "1000"}};
}

TEST(RunEvents, ShowWhatPeopleLookAt) {
  const TemporaryFolder folder;
  Progress silent;
  const auto run = Run::create(classify(small("rm")), folder / "run", silent);
  run->execute();
  const Events events(folder / "run");
  const auto steps = events.steps();
  for (const char* tag :
       {"train/loss", "train/lr", "train/steps_per_second", "accuracy/all", "accuracy/task_1",
        "accuracy/task_3", "forgetting", "memory/class/0", "memory/class/9", "samples_per_second"})
    EXPECT_THAT(steps, Contains(Key(tag)));
  EXPECT_EQ(steps.at("train/loss")[1], 10);
  EXPECT_EQ(steps.at("forgetting").size(), 2U);
  EXPECT_EQ(steps.at("accuracy/all").size(), 7U);  // four intervals and three tasks
  ASSERT_EQ(events.images.size(), 3U);
  EXPECT_EQ(std::get<0>(events.images[0]), "memory");
  const auto m = run->metrics_json();
  std::map<std::string, float> last;
  for (const auto& [tag, step, value] : events.scalars) last[tag] = value;
  EXPECT_FLOAT_EQ(last["accuracy/all"], m["a_last"].get<float>());
  EXPECT_FLOAT_EQ(last["forgetting"], m["f_last"].get<float>());
  float kept = 0;
  for (const auto& [tag, value] : last)
    if (tag.starts_with("memory/class/")) kept += value;
  EXPECT_EQ(kept, m["memory_samples"].get<float>());
  EXPECT_EQ(read_file(folder / "run" / "memory.png").substr(1, 3), "PNG");
}

// Stopped at many moments: no point is missing, none is there twice, and none is another.
TEST(RunEvents, OfAResumedRunAreThoseOfOneNeverStopped) {
  for (const std::string learner : {"rm", "er"}) {
    const TemporaryFolder folder;
    Progress silent;
    Run::create(classify(small(learner)), folder / "whole", silent)->execute();
    std::vector<std::unique_ptr<StopAfter>> stops;
    stops.push_back(std::make_unique<StopAfter>(9));
    auto run = Run::create(classify(small(learner)), folder / "broken", *stops.back());
    int interruptions = 0;
    for (;;) {
      try {
        run->execute();
        break;
      } catch (const Interrupted&) {
        ++interruptions;
      }
      stops.push_back(std::make_unique<StopAfter>(7 + 2 * interruptions));
      run.reset();
      run = Run::open(folder / "broken", {}, *stops.back());
    }
    EXPECT_GT(interruptions, 3);
    const Events whole(folder / "whole"), broken(folder / "broken");
    EXPECT_EQ(whole.certain(), broken.certain());
    EXPECT_EQ(whole.images, broken.images);
  }
}

}  // namespace
}  // namespace perennial
