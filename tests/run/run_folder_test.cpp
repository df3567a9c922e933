// A run's folder: who may change it, who may only look, what it needs from elsewhere, and how it is begun
// again.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sys/resource.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/data/split_files.h"
#include "perennial/io/image.h"
#include "perennial/io/image_files.h"
#include "perennial/memory/memory.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/predict.h"
#include "tests/base/temporary_folder.h"
#include "tests/run/interruption.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Settings small(const std::string& data = "digits", const Settings& more = {}) {
  Settings all{{"learner", "er"}, {"data", data},         {"memory", "30"},
               {"tasks", "2"},    {"epochs", "2"},        {"seed", "3"},
               {"threads", "1"},  {"model.width", "0.1"}, {"stream.limit", "200"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Two classes of pictures, dark and light ones.
void draw(const fs::path& folder, int count = 12, uint8_t shade = 40) {
  for (const std::string name : {"dark", "light"}) {
    make_folder(folder / name);
    for (int i = 0; i < count; ++i) {
      std::vector<uint8_t> pixels(3 * 8 * 8, static_cast<uint8_t>((name == "dark" ? 0 : 150) + shade + i));
      write_file(folder / name / (std::to_string(i) + ".png"), encode_png({3, 8, 8, pixels}));
    }
  }
}

/// Name, content and time of every file.
std::map<std::string, std::pair<std::string, fs::file_time_type>> snapshot(const fs::path& folder) {
  std::map<std::string, std::pair<std::string, fs::file_time_type>> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      all[entry.path().string()] = {read_file(entry.path()), entry.last_write_time()};
  return all;
}

/// Asks to stop after a number of questions in training, whatever was asked while data were read.
class StopInTraining : public Progress {
 public:
  explicit StopInTraining(int questions) : left_(questions) {}
  void begin(const std::string& what, int64_t, int64_t) override { training_ |= what.starts_with("task"); }
  bool stop_requested() const override { return training_ && left_-- <= 0; }

 private:
  mutable int left_;
  bool training_ = false;
};

class FolderOfARun : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_ / name; }
  std::unique_ptr<perennial::Run> begin(const std::string& name, const Settings& settings,
                                        Progress& progress) {
    return perennial::Run::create(classify(settings), at(name), progress);
  }
  std::unique_ptr<perennial::Run> begin(const std::string& name, const Settings& settings) {
    return begin(name, settings, silent_);
  }
  /// Begins a run that stops on its way.
  void stopped(const std::string& name, const Settings& settings) {
    StopInTraining soon(14);
    EXPECT_THROW(begin(name, settings, soon)->execute(), Interrupted);
  }
  void go_on(const std::string& name, const Settings& places = {}) {
    const auto run = perennial::Run::open(at(name), {}, silent_);
    run->find_at(places);
    run->execute();
  }

  TemporaryFolder folder_;
  Progress silent_;
};

TEST_F(FolderOfARun, OneProcessAtATimeMayChangeIt) {
  const auto run = begin("run", small());
  const auto before = snapshot(at("run"));
  EXPECT_THAT(error_of([&] { begin("run", small()); }), HasSubstr("perennial resume"));
  EXPECT_THAT(error_of([&] { perennial::Run::open(at("run"), {}, silent_); }),
              HasSubstr("expected no other process at work on it, found process"));
  EXPECT_EQ(snapshot(at("run")), before);
  run->execute();
  EXPECT_THAT(error_of([&] { perennial::Run::open(at("run"), {}, silent_); }), HasSubstr("no other process"));
}

// Beside a run that goes on: not an event is cut off, not a temporary file removed, not a line logged.
TEST_F(FolderOfARun, UsingItTouchesNothing) {
  StopInTraining soon(14);
  const auto run = begin("run", small(), soon);
  EXPECT_THROW(run->execute(), Interrupted);
  write_file(at("run") / "model.safetensors.tmp999999999", "half a file of a process that is gone");
  for (const auto& entry : fs::directory_iterator(at("run")))
    if (entry.path().filename().string().starts_with("events"))
      std::ofstream(entry.path(), std::ios::app) << "an event after the checkpoint";
  draw(at("photos"), 2);
  const auto before = snapshot(at("run"));
  const auto used = perennial::Run::open(at("run"), {}, silent_, Access::kUse);
  const auto& recipe = dynamic_cast<const ClassifyRecipe&>(used->recipe());
  const auto files = find_images({at("photos")}).files;
  EXPECT_EQ(predict_files(recipe, used->learner(), files, 1, silent_).made.size(), 4U);
  EXPECT_THROW(used->execute(), std::logic_error);
  EXPECT_EQ(snapshot(at("run")), before);
}

// Some are removed between their listing and their reading.
TEST_F(FolderOfARun, CheckpointsAreReadWhileTheyAreReplaced) {
  CheckpointFolder writing(at("checkpoint"));
  writing.write({});
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) writing.write({});
    done = true;
  });
  const CheckpointFolder reading(at("checkpoint"));
  while (!done)
    EXPECT_EQ(error_of([&] { reading.read([](const std::string& line) { ADD_FAILURE() << line; }); }),
              "no error");
  writer.join();
}

TEST_F(FolderOfARun, FinishedItNeedsNothingElse) {
  begin("first", small())->execute();
  draw(at("data"));
  for (const std::string learner : {"er", "gdumb"}) {
    fs::copy_file(at("first") / "model.safetensors", at("w.safetensors"));
    const fs::path here = fs::current_path();
    fs::current_path(folder_.path());
    begin(learner, small("digits", {{"learner", learner}, {"model.weights", "w.safetensors"}}))->execute();
    fs::current_path(here);
    fs::remove(at("w.safetensors"));
    EXPECT_GT(perennial::Run::open(at(learner), {}, silent_, Access::kUse)->learner().memory()->size(), 0);
    const auto run = perennial::Run::open(at(learner), {}, silent_);
    run->begin_update({{"data", "folder:" + at("data").string()}});
    run->execute();
    EXPECT_EQ(dynamic_cast<ClassifyRecipe&>(run->recipe()).class_names().back(), "light");
  }
}

// Starting from the run's own copy of the weights is starting from the user's file.
TEST_F(FolderOfARun, ItsOwnCopyOfTheWeightsIsWhatItStartsFrom) {
  begin("first", small())->execute();
  const Settings gdumb{{"learner", "gdumb"}, {"model.weights", (at("first") / "model.safetensors").string()}};
  begin("whole", small("digits", gdumb))->execute();
  stopped("run", small("digits", gdumb));
  fs::remove(at("first") / "model.safetensors");
  go_on("run");
  expect_equal_models(at("whole"), at("run"));
}

TEST_F(FolderOfARun, FrozenFeaturesAreComputedAgainWithoutTheUsersFile) {
  ::setenv("PERENNIAL_CACHE", at("cache").c_str(), 1);
  const Settings resnet{
      {"model", "resnet20"}, {"model.width", "0.5"}, {"stream.limit", "40"}, {"epochs", "1"}};
  begin("first", small("digits", resnet))->execute();
  Settings frozen = resnet;
  frozen.push_back({"model.freeze", "features"});
  frozen.push_back({"model.weights", (at("first") / "model.safetensors").string()});
  begin("whole", small("digits", frozen))->execute();
  stopped("run", small("digits", frozen));
  fs::remove(at("first") / "model.safetensors");
  fs::remove_all(at("cache"));
  go_on("run");
  expect_equal_models(at("whole"), at("run"));
  ::unsetenv("PERENNIAL_CACHE");
}

// What is frozen lies in the folder once, and not in its checkpoints.
TEST_F(FolderOfARun, FrozenWeightsAreInNoCheckpoint) {
  ::setenv("PERENNIAL_CACHE", at("cache").c_str(), 1);
  const Settings resnet{
      {"model", "resnet20"}, {"model.width", "0.5"}, {"stream.limit", "40"}, {"epochs", "1"}};
  begin("first", small("digits", resnet))->execute();
  Settings frozen = resnet;
  frozen.push_back({"model.freeze", "features"});
  frozen.push_back({"model.weights", (at("first") / "model.safetensors").string()});
  begin("run", small("digits", frozen))->execute();
  const fs::path model = at("first") / "model.safetensors", kept = at("run") / "start.safetensors";
  fs::rename(model, at("elsewhere"));
  for (const auto& entry : fs::directory_iterator(at("run") / "checkpoint")) {
    const State state = decode_state(read_file(entry.path()), "checkpoint");
    for (const auto& [name, tensor] : state.tensors)
      EXPECT_EQ(name.find("backbone."), std::string::npos) << name;
    EXPECT_TRUE(state.has_tensor("learner.net.head.weight"));
  }
  const Dataset test = load_data({}, silent_).test;
  const auto used = perennial::Run::open(at("run"), {}, silent_, Access::kUse);
  const TensorFile whole = read_safetensors(at("run") / "model.safetensors");
  EXPECT_TRUE(whole.tensors.contains("head.weight"));
  EXPECT_GT(whole.tensors.size(), 20U);  // the network alone is all of it
  EXPECT_EQ(used->learner().predict(test.unlabelled(0, 3)).size(0), 3);
  std::string bytes = read_file(kept);
  bytes[bytes.size() - 3] ^= 1;
  write_file_atomic(kept, bytes);
  EXPECT_THAT(error_of([&] { perennial::Run::open(at("run"), {}, silent_); }),
              HasSubstr("the frozen weights"));
  ::unsetenv("PERENNIAL_CACHE");
}

TEST_F(FolderOfARun, MovedDataAreFoundAgainAndOthersRefused) {
  draw(at("data"));
  draw(at("others"), 12, 41);
  draw(at("fewer"), 11);
  const Settings settings = small("folder:" + at("data").string());
  begin("whole", settings)->execute();
  stopped("run", settings);
  fs::rename(at("data"), at("moved"));
  const auto lies_in = [&](const std::string& name) -> Settings {
    return {{"data", "folder:" + at(name).string()}};
  };
  EXPECT_THAT(error_of([&] { go_on("run"); }), HasSubstr("resume " + at("run").string() + " --data"));
  EXPECT_THAT(error_of([&] { go_on("run", lies_in("others")); }), HasSubstr("found other samples or labels"));
  EXPECT_THAT(error_of([&] { go_on("run", lies_in("fewer")); }), HasSubstr("other samples or labels"));
  EXPECT_THAT(error_of([&] { go_on("run", {{"data", "digits"}}); }), HasSubstr("data: expected"));
  EXPECT_THAT(error_of([&] { go_on("run", {{"stream", "shuffled"}}); }), HasSubstr("stream: 'blurry10'"));
  EXPECT_THAT(error_of([&] { go_on("run", {{"epochs", "1"}}); }), HasSubstr("epochs: fixed by the run"));
  StopInTraining soon(6);
  {
    const auto run = perennial::Run::open(at("run"), {}, soon);
    run->find_at(lies_in("moved"));
    EXPECT_THROW(run->execute(), Interrupted);
  }
  go_on("run");  // it knows now
  expect_equal_models(at("whole"), at("run"));
}

TEST_F(FolderOfARun, MovedSplitFilesAreFoundAgainAndOthersRefused) {
  const auto write = [&](const std::string& name, uint64_t seed) {
    StreamOptions options;
    DataSource source = load_data({}, silent_);
    make_folder(at(name));
    write_split_files(at(name), "x", source.train, make_tasks(options, seed, source.train));
  };
  write("splits", 1);
  write("others", 2);
  const Settings settings = small("digits", {{"stream", "splits:" + at("splits").string()}});
  begin("whole", settings)->execute();
  stopped("run", settings);
  fs::rename(at("splits"), at("moved"));
  EXPECT_THAT(error_of([&] { go_on("run"); }), HasSubstr("splits"));
  EXPECT_THAT(error_of([&] { go_on("run", {{"stream", "splits:" + at("others").string()}}); }),
              HasSubstr("another order"));
  go_on("run", {{"stream", "splits:" + at("moved").string()}});
  expect_equal_models(at("whole"), at("run"));
}

TEST_F(FolderOfARun, PlacesAreKeptFromTheRoot) {
  draw(at("data"));
  const fs::path here = fs::current_path();
  fs::current_path(folder_.path());
  stopped("run", small("folder:data"));
  fs::current_path(here);
  go_on("run");
  EXPECT_THAT(read_file(at("run") / "config.toml"), HasSubstr("folder:" + at("data").string()));
}

// Whatever stops it before its first checkpoint, the same command begins it again.
TEST_F(FolderOfARun, ABeginningThatFailedIsNoRun) {
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit little{20000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  const std::string error = error_of([&] { begin("run", small()); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(error, HasSubstr("File too large"));
  EXPECT_FALSE(fs::exists(at("run")));
  begin("run", small());
  fs::remove_all(at("run") / "checkpoint");  // as a kill at that moment leaves it
  EXPECT_THAT(error_of([&] { perennial::Run::open(at("run"), {}, silent_); }),
              HasSubstr("may be given again"));
  begin("run", small())->execute();
  EXPECT_TRUE(fs::exists(at("run") / "report.html"));
}

TEST_F(FolderOfARun, AConfigOfSomethingElseIsNotOverwritten) {
  make_folder(at("run"));
  write_file(at("run") / "config.toml", "name = \"another program's\"\n");
  EXPECT_THAT(error_of([&] { begin("run", small()); }), HasSubstr("a config.toml of something else"));
  EXPECT_THAT(read_file(at("run") / "config.toml"), HasSubstr("another program's"));
}

// Nothing that a run writes was there before it.
TEST_F(FolderOfARun, FilesOfSomethingElseAreNotOverwritten) {
  for (const char* name : {"model.safetensors", "metrics.json", "metrics.csv", "memory.png", "report.html",
                           "log.txt", "start.safetensors"}) {
    make_folder(at("run"));
    write_file(at("run") / name, "another program's");
    EXPECT_THAT(error_of([&] { begin("run", small()); }),
                HasSubstr(std::string("a ") + name + " of something else"));
    EXPECT_EQ(read_file(at("run") / name), "another program's");
    fs::remove_all(at("run"));
  }
}

// The data would be missed too: what is told first is what can be told without them.
TEST_F(FolderOfARun, WhatCanBeRefusedIsRefusedBeforeTheDataAreRead) {
  const auto refused = [&](const Settings& more) {
    return error_of([&] { begin("run", small("folder:" + at("absent").string(), more)); });
  };
  EXPECT_THAT(refused({}), HasSubstr("absent"));
  EXPECT_THAT(refused({{"model.weights", "/nowhere.safetensors"}}), HasSubstr("nowhere"));
  EXPECT_THAT(refused({{"train.augment", "flop"}}), HasSubstr("flop"));
  EXPECT_THAT(refused({{"noise", "sym:2"}}), HasSubstr("sym"));
  EXPECT_THAT(refused({{"stream", "splits:x"}, {"noise", "sym:0.2"}}), HasSubstr("noise"));
  EXPECT_THAT(refused({{"stream", "splits:" + at("gone").string()}}), HasSubstr("gone"));
  EXPECT_THAT(refused({{"noise", "file:" + at("unseen.txt").string()}}), HasSubstr("unseen.txt"));
  EXPECT_FALSE(fs::exists(at("run")));
  write_file(at("file"), "");
  EXPECT_THAT(error_of([&] { begin("file/run", small("folder:absent")); }), HasSubstr("file"));
}

TEST_F(FolderOfARun, NamesThatAreNotUtf8AreNamedByTheirBytes) {
  draw(at("data"), 2);
  fs::rename(at("data") / "dark", at("data") /
                                      "d\xE9"
                                      "but");
  const auto refused = [&](const std::string& data) { return error_of([&] { begin("run", small(data)); }); };
  EXPECT_THAT(refused("folder:" + at("data").string()), HasSubstr("class names in UTF-8, found 'd\\xE9but'"));
  EXPECT_THAT(refused("folder:/caf\xE9"),
              HasSubstr("data: expected text in UTF-8, found 'folder:/caf\\xE9'"));
  write_file(at("list.csv"), "data/light/0.png,caf\xE9\n");
  EXPECT_THAT(refused("csv:" + at("list.csv").string()), HasSubstr("'caf\\xE9'"));
  EXPECT_FALSE(fs::exists(at("run")));
}

}  // namespace
}  // namespace perennial
