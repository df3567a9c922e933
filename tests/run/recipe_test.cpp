// What every recipe must keep to, whatever it learns: two that are not classification of images run, are
// killed, resumed, updated and compared beside those that are.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "perennial/report/report.h"
#include "perennial/run/report.h"
#include "perennial/run/run.h"
#include "tests/base/temporary_folder.h"
#include "tests/run/interruption.h"
#include "tests/run/toy_keywords.h"
#include "tests/run/toy_squares.h"

namespace perennial {
namespace {

using nlohmann::json;

struct Case {
  std::string task;
  Settings begin, update;
  std::string other;  ///< data that are not those of `begin`
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"classify",
       {{"task", "classify"},
        {"data", "digits"},
        {"data.classes", "0,1,2,3"},
        {"stream", "disjoint"},
        {"tasks", "2"},
        {"stream.limit", "200"},
        {"epochs", "2"},
        {"model.width", "0.1"},
        {"memory", "40"},
        {"eval.every", "70"},
        {"learner", "er"}},
       {{"data", "digits"}, {"data.classes", "4,5"}},
       ""},
      {"keywords",
       {{"task", "keywords"}, {"data", "0,1,2,3"}, {"eval.every", "30"}},
       {{"data", "4,5"}},
       "0,1,2,4"},
      {"squares", {{"task", "squares"}, {"data", "200 on 50"}}, {{"data", "40 on 160"}}, "210 on 50"}};
  return all;
}

std::unique_ptr<Recipe> make(const Case& c) {
  static const bool registered = [] {
    register_recipe(keywords::recipe());
    register_recipe(squares::recipe());
    return true;
  }();
  EXPECT_TRUE(registered);
  Settings settings = c.begin;
  settings.push_back({"threads", "1"});
  settings.push_back({"checkpoint.seconds", "1000"});
  return find_recipe(c.task).make(settings);
}

json metrics_of(const std::filesystem::path& run) { return json::parse(read_file(run / "metrics.json")); }

class AnyRecipe : public testing::TestWithParam<size_t> {
 protected:
  const Case& of() const { return cases()[GetParam()]; }
  TemporaryFolder folder_;
  Progress silent_;
};

TEST_P(AnyRecipe, LearnsAndIsReported) {
  const auto run = Run::create(make(of()), folder_ / "run", silent_);
  run->execute();
  const json m = metrics_of(folder_ / "run");
  const std::string headline = m["headline"];
  EXPECT_EQ(m["task"], of().task);
  EXPECT_EQ(m["finished"], true);
  EXPECT_GT(m["a_last"], 0.6) << m["scores"];
  EXPECT_EQ(m["a_last"], m["scores"][headline]);
  EXPECT_GT(m["curve"].size(), 1U);
  EXPECT_EQ(m[headline + "_matrix"].size(), m["task_" + headline].size());
  EXPECT_THAT(report_html(folder_ / "run"), testing::HasSubstr("A<sub>last</sub>"));
  EXPECT_THAT(run->recipe().summary(m), testing::EndsWith("\n"));
}

// Stopped at many moments, in the update too: the ending is that of the run never stopped.
TEST_P(AnyRecipe, KilledAnywhereEndsBitEqual) {
  const auto whole = Run::create(make(of()), folder_ / "whole", silent_);
  whole->execute();
  whole->begin_update(of().update);
  whole->execute();
  std::vector<std::unique_ptr<StopAfter>> stops;
  stops.push_back(std::make_unique<StopAfter>(4));
  auto run = Run::create(make(of()), folder_ / "broken", *stops.back());
  int interruptions = 0;
  for (bool updated = false;;) {
    try {
      run->execute();
      if (updated) break;
      run->begin_update(of().update);
      updated = true;
      continue;
    } catch (const Interrupted&) {
      ++interruptions;
    }
    stops.push_back(std::make_unique<StopAfter>(6 + 2 * interruptions));
    run.reset();
    run = Run::open(folder_ / "broken", {}, *stops.back());
  }
  EXPECT_GT(interruptions, 2);
  expect_equal_models(folder_ / "whole", folder_ / "broken");
  const json a = metrics_of(folder_ / "whole"), b = metrics_of(folder_ / "broken");
  const std::string headline = a["headline"];
  for (const std::string& key : {std::string("scores"), std::string("curve"), headline + "_matrix",
                                 std::string("f_last"), std::string("samples_seen"), std::string("epochs")})
    EXPECT_EQ(a[key], b[key]) << key;
}

// An update is a task: curve, matrix and forgetting go on.
TEST_P(AnyRecipe, AnUpdateIsATask) {
  auto run = Run::create(make(of()), folder_ / "run", silent_);
  EXPECT_THROW(run->begin_update(of().update), std::exception);
  run->execute();
  const json before = metrics_of(folder_ / "run");
  run.reset();
  run = Run::open(folder_ / "run", {}, silent_);
  run->begin_update(of().update);
  run->execute();
  const json after = metrics_of(folder_ / "run");
  const std::string headline = after["headline"], matrix = headline + "_matrix";
  const size_t tasks = before[matrix].size();
  ASSERT_EQ(after[matrix].size(), tasks + 1);
  EXPECT_EQ(after[matrix].back().size(), tasks + 1);
  EXPECT_TRUE(after[matrix].front().back().is_null());
  EXPECT_TRUE(after["f_last"].is_number());
  EXPECT_GT(after["curve"].size(), before["curve"].size());
  EXPECT_EQ(after["curve"].back()["task"], tasks);
  EXPECT_EQ(after["updates"].size(), 1U);
  EXPECT_EQ(after["updates"][0][headline], after[matrix].back().back());
  EXPECT_GT(after["samples_seen"], before["samples_seen"]);
  EXPECT_EQ(after["task_samples"].back(), after["samples_seen"]);
}

TEST_P(AnyRecipe, OtherDataAreRefused) {
  if (of().other.empty()) return;  // the tests of run folders change data of classification
  StopAfter soon(6);
  EXPECT_THROW(Run::create(make(of()), folder_ / "run", soon)->execute(), Interrupted);
  const auto run = Run::open(folder_ / "run", {}, silent_);
  run->find_at({{"data", of().other}});
  EXPECT_THAT(error_of([&] { run->execute(); }), testing::HasSubstr("the data that it began with"));
  EXPECT_THAT(error_of([&] { Run::open(folder_ / "run", {{"data", of().other}}, silent_); }),
              testing::HasSubstr("fixed by the run"));
}

TEST_P(AnyRecipe, RunsAreCompared) {
  std::vector<std::filesystem::path> runs;
  for (const std::string seed : {"1", "2"}) {
    auto recipe = make(of());
    recipe->table().set("seed", seed);
    Run::create(std::move(recipe), folder_ / seed, silent_)->execute();
    runs.push_back(folder_ / seed);
  }
  EXPECT_THAT(compare_table(runs), testing::HasSubstr("A_last"));
  EXPECT_THAT(compare_html(runs), testing::HasSubstr("A<sub>last</sub>"));
}

INSTANTIATE_TEST_SUITE_P(Recipe, AnyRecipe, testing::Values(0, 1, 2),
                         [](const auto& given) { return cases()[given.param].task; });

// The memory of sounds of different lengths keeps to its bytes.
TEST(KeywordRecipe, ItsMemoryCountsWhatEachSoundTakes) {
  const TemporaryFolder folder;
  Progress silent;
  const auto run = Run::create(make(cases()[1]), folder / "run", silent);
  run->execute();
  const Memory* memory = run->learner().memory();
  EXPECT_LE(memory->bytes(), 20000);
  EXPECT_GT(memory->bytes(), 15000);
  EXPECT_GT(memory->size(), 8);
  EXPECT_TRUE(memory->samples().column(keywords::kAudio).ragged());
}

TEST(Recipes, KnowTheirNames) {
  EXPECT_THAT(error_of([] { find_recipe("segmnt"); }), testing::HasSubstr("did you mean 'segment'"));
  EXPECT_THAT(error_of([] { register_recipe({"classify", nullptr, nullptr}); }),
              testing::HasSubstr("exists already"));
}

}  // namespace
}  // namespace perennial
