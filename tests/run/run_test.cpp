#include "perennial/run/run.h"

#include <csignal>
#include <sys/resource.h>

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/image_files.h"
#include "perennial/memory/memory.h"
#include "perennial/tasks/classify/classify_recipe.h"
#include "tests/base/temporary_folder.h"
#include "tests/run/interruption.h"

namespace perennial {
namespace {

Settings small(const std::string& learner = "rm") {
  return {{"learner", learner}, {"data", "digits"}, {"memory", "50"},       {"tasks", "3"},
          {"epochs", "2"},      {"threads", "1"},   {"model.width", "0.1"}, {"stream.limit", "300"}};
}

Settings with(Settings settings, const std::string& name, const std::string& value) {
  settings.emplace_back(name, value);
  return settings;
}

TEST(Run, LeavesEveryFileThatItPromises) {
  const TemporaryFolder folder;
  Progress silent;
  Run::create(classify(small()), folder / "run", silent)->execute();
  for (const char* file : {"config.toml", "metrics.json", "metrics.csv", "model.safetensors", "report.html",
                           "log.txt", "memory.png", "checkpoint"})
    EXPECT_TRUE(std::filesystem::exists(folder / "run" / file)) << file;
  const auto m = nlohmann::json::parse(read_file(folder / "run" / "metrics.json"));
  for (const char* key : {"learner",
                          "data",
                          "stream",
                          "seed",
                          "finished",
                          "a_last",
                          "a_avg",
                          "f_last",
                          "i_last",
                          "a_auc",
                          "accuracy_matrix",
                          "per_class",
                          "memory_samples",
                          "memory_bytes",
                          "samples_seen",
                          "samples_per_second",
                          "wall_seconds",
                          "peak_rss_bytes",
                          "test_evaluations",
                          "version"})
    EXPECT_TRUE(m.contains(key)) << key;
  EXPECT_EQ(m["finished"], true);
  EXPECT_EQ(m["memory_samples"], 50);
  EXPECT_EQ(m["samples_seen"], 300);
  EXPECT_EQ(m["test_evaluations"], 3);
  EXPECT_EQ(m["accuracy_matrix"].size(), 3U);
}

std::vector<std::string> names_of(Run& run) {
  return dynamic_cast<ClassifyRecipe&>(run.recipe()).class_names();
}

class InterruptedRun : public testing::TestWithParam<const char*> {};

// Interrupted at many moments, inside epochs and evaluations too, each time opened again: nothing but the
// checkpoint written at the interruption is there to go on from, and the ending is that of the run never
// interrupted.
TEST_P(InterruptedRun, EndsBitEqual) {
  const TemporaryFolder folder;
  Progress silent;
  std::string learner = GetParam();
  const bool as_released = learner.ends_with('*');
  if (as_released) learner.pop_back();
  Settings settings = with(with(small(learner), "checkpoint.seconds", "1000"), "eval.every", "70");
  if (as_released) settings = with(settings, "as_released", "true");
  settings = with(with(settings, "eval.batch", "100"), "eval.best_epoch", "true");
  Run::create(classify(settings), folder / "whole", silent)->execute();
  StopAfter first(10);
  std::vector<std::unique_ptr<StopAfter>> stops;
  auto run = Run::create(classify(settings), folder / "broken", first);
  int interruptions = 0;
  for (int questions = 8;; questions += 3) {
    try {
      run->execute();
      break;
    } catch (const Interrupted&) {
      ++interruptions;
    }
    stops.push_back(std::make_unique<StopAfter>(questions));
    run.reset();
    run = Run::open(folder / "broken", {}, *stops.back());
  }
  EXPECT_GT(interruptions, 3);
  expect_equal_models(folder / "whole", folder / "broken");
  auto a = nlohmann::json::parse(read_file(folder / "whole" / "metrics.json"));
  auto b = nlohmann::json::parse(read_file(folder / "broken" / "metrics.json"));
  for (const char* key : {"accuracy_matrix", "task_accuracy", "per_class", "memory", "confusion", "curve",
                          "best_epoch", "test_evaluations"})
    EXPECT_EQ(a[key], b[key]) << key;
}

INSTANTIATE_TEST_SUITE_P(Run, InterruptedRun,
                         testing::Values("rm", "rm-offline", "er", "ewc", "gdumb", "finetune", "joint", "rm*",
                                         "rm-offline*", "er*", "ewc*", "gdumb*", "finetune*", "joint*"),
                         [](const testing::TestParamInfo<const char*>& learner) {
                           std::string name = learner.param;
                           std::erase(name, '-');
                           if (!name.ends_with('*')) return name;
                           name.pop_back();
                           return name + "AsReleased";
                         });

TEST(Run, EvaluatingOftenerDoesNotChangeWhatIsLearned) {
  const TemporaryFolder folder;
  Progress silent;
  Run::create(classify(small()), folder / "plain", silent)->execute();
  Run::create(classify(with(with(small(), "eval.every", "50"), "eval.best_epoch", "true")),
              folder / "watched", silent)
      ->execute();
  expect_equal_models(folder / "plain", folder / "watched");
  const auto m = nlohmann::json::parse(read_file(folder / "watched" / "metrics.json"));
  EXPECT_EQ(m["curve"].size(), 6U);
  EXPECT_TRUE(m["a_auc"].is_number());
  EXPECT_EQ(m["best_epoch"].size(), 3U);
  EXPECT_EQ(m["test_evaluations"],
            6 + 3 * 2);  // at intervals, and after each of two epochs: the selection is none
  for (const auto& best : m["best_epoch"]) {
    EXPECT_GE(best["epoch"], 1);
    EXPECT_LE(best["epoch"], best["epochs"]);
    EXPECT_EQ(best["epochs"], 2);
  }
}

// Streams, augmentation and selection do not depend on the number of threads: with training switched off, the
// memories that rainbow chooses are equal.
TEST(Run, SelectionIsEqualForEveryThreadCount) {
  const TemporaryFolder folder;
  Progress silent;
  const auto memory_with = [&](const std::string& threads) {
    Settings s = with(with(with(small(), "threads", threads), "epochs", "0"), "train.stream_lr_factor", "0");
    const auto run = Run::create(classify(s), folder / ("threads" + threads), silent);
    run->execute();
    return std::pair(run->learner().memory()->samples().ids(), run->learner().memory()->scores());
  };
  EXPECT_EQ(memory_with("1"), memory_with("3"));
}

TEST(Run, UpdateLearnsNewClassesAndKeepsTheOldOnes) {
  const TemporaryFolder folder;
  Progress silent;
  Settings settings = with(with(small(), "data.classes", "0,1,2"), "stream", "shuffled");
  settings = with(with(settings, "stream.limit", "0"), "epochs", "10");
  Run::create(classify(settings), folder / "run", silent)->execute();
  auto run = Run::open(folder / "run", {}, silent);
  run->begin_update({{"data", "digits"}, {"data.classes", "7,8"}});
  run->execute();
  EXPECT_THAT(names_of(*run), testing::ElementsAre("0", "1", "2", "7", "8"));
  run.reset();
  run = Run::open(folder / "run", {}, silent);
  DataOptions both;
  both.classes = "0,1,2,7,8";
  const DataSource source = load_data(both, silent);
  Evaluation e = evaluate(run->learner(), source.test, 5, 100, silent);
  for (int64_t c = 0; c < 5; ++c) EXPECT_GT(e.class_accuracy(c), 0.6) << names_of(*run)[c];
  EXPECT_EQ(run->metrics_json()["updates"][0]["classes_added"], (std::vector<std::string>{"7", "8"}));
}

TEST(Run, AfterAnUpdateNamesAndTrueLabelsAreThoseOfAllData) {
  const TemporaryFolder folder;
  Progress silent;
  Settings settings = with(with(small(), "data.classes", "0,1,2"), "stream", "shuffled");
  settings = with(with(settings, "noise", "sym:0.4"), "memory", "200");
  Run::create(classify(settings), folder / "run", silent)->execute();
  const auto read = [&] { return nlohmann::json::parse(read_file(folder / "run" / "metrics.json")); };
  std::map<int64_t, int64_t> truth;
  const auto before = read();
  for (const auto& entry : before["memory"]["entries"]) truth[entry["id"]] = entry["true_label"];
  auto run = Run::open(folder / "run", {}, silent);
  run->begin_update({{"data", "digits"}, {"data.classes", "7,8"}});
  run->execute();
  const auto m = read();
  EXPECT_EQ(m["class_names"], (std::vector<std::string>{"0", "1", "2", "7", "8"}));
  for (const char* name : {"0", "1", "2", "7", "8"}) EXPECT_TRUE(m["per_class"].contains(name)) << name;
  EXPECT_EQ(m["confusion"].size(), 5U);
  EXPECT_EQ(m["confusion"][0].size(), 5U);
  EXPECT_EQ(m["task_composition"][0].size(), 5U);
  int64_t earlier = 0;
  for (const auto& entry : m["memory"]["entries"]) {
    const auto at = truth.find(entry["id"].get<int64_t>());
    if (at == truth.end()) continue;
    ++earlier;
    EXPECT_EQ(entry.value("true_label", int64_t{-1}), at->second);
  }
  EXPECT_GT(earlier, 20);
  const std::string report = read_file(folder / "run" / "report.html");
  EXPECT_EQ(report.find("class 3"), std::string::npos);  // what a class without a name is called
}

TEST(Run, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  const TemporaryFolder folder;
  Progress silent;
  Run::create(classify(small()), folder / "run", silent)->execute();
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "run" / "checkpoint"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_EQ(files.size(), 2U);
  std::string bytes = read_file(files[1]);
  bytes[bytes.size() / 2] ^= 4;
  write_file_atomic(files[1], bytes);
  // The first checkpoint, from the beginning.
  EXPECT_FALSE(Run::open(folder / "run", {}, silent)->finished());
  EXPECT_THAT(read_file(folder / "run" / "log.txt"), testing::HasSubstr("the file is damaged"));
  write_file_atomic(files[0], read_file(files[0]).substr(0, 1000));
  EXPECT_THAT(error_of([&] { Run::open(folder / "run", {}, silent); }),
              testing::HasSubstr("damaged ones only"));
}

TEST(Run, ACheckpointOfAnotherConfigurationIsRefused) {
  const TemporaryFolder folder;
  Progress silent;
  Run::create(classify(small()), folder / "run", silent)->execute();
  std::string toml = read_file(folder / "run" / "config.toml");
  toml.replace(toml.find("epochs = 2"), 10, "epochs = 3");
  write_file_atomic(folder / "run" / "config.toml", toml);
  EXPECT_THAT(error_of([&] { Run::open(folder / "run", {}, silent); }), testing::HasSubstr("epochs = \"3\""));
}

TEST(Run, AFullDiskStopsItWithTheLastCheckpointWhole) {
  const TemporaryFolder folder;
  Progress silent;
  auto run = Run::create(classify(with(small(), "checkpoint.seconds", "0")), folder / "run", silent);
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit little{20000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  const std::string error = error_of([&] { run->execute(); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(error, testing::HasSubstr("File too large"));
  run.reset();
  Run::open(folder / "run", {}, silent)->execute();
  EXPECT_TRUE(std::filesystem::exists(folder / "run" / "metrics.json"));
}

TEST(Run, RefusesAFolderThatHoldsOneAlreadyAndOneThatHoldsNone) {
  const TemporaryFolder folder;
  Progress silent;
  Run::create(classify(small("finetune")), folder / "run", silent)->execute();
  EXPECT_THAT(error_of([&] { Run::create(classify(small()), folder / "run", silent); }),
              testing::HasSubstr("resume"));
  EXPECT_THAT(error_of([&] { Run::open(folder / "nothing", {}, silent); }),
              testing::HasSubstr("perennial learn"));
  EXPECT_THAT(error_of([&] { Run::open(folder / "run", {{"epochs", "9"}}, silent); }),
              testing::HasSubstr("fixed by the run"));
}

TEST(Predict, FindsImagesAndSaysWhatIsMissing) {
  const TemporaryFolder folder;
  make_folder(folder / "empty");
  EXPECT_THAT(error_of([&] { find_images({folder / "empty"}); }), testing::HasSubstr(".jpg .png"));
  EXPECT_THAT(error_of([&] { find_images({folder / "absent.jpg"}); }), testing::HasSubstr("absent.jpg"));
}

}  // namespace
}  // namespace perennial
