// What a run measures of the data of earlier updates, which may have changed since.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perennial/io/state.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"
#include "tests/data/source_fixtures.h"

namespace perennial::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class EarlierData : public SourceTest {
 protected:
  /// Photographs of each class of a folder, some to train on and some held out.
  void folder(const std::string& name, const std::vector<std::string>& classes) {
    for (const std::string& c : classes)
      for (int i = 0; i < 8; ++i)
        photograph(name + (i < 6 ? "/train/" : "/test/") + c + "/" + std::to_string(i) + ".png", ++count_);
  }
  std::string data(const std::string& name) const { return "folder:" + (root_ / name).string(); }
  std::string log() const { return read_file(root_ / "run" / "log.txt"); }

  /// A run over "first", updated with "second" after `change`; its metrics.
  json updated(const std::function<void()>& change, const Settings& more = {}) {
    folder("first", {"ant", "bee"});
    folder("second", {"cat", "dog"});
    Progress silent;
    Settings settings{{"data", data("first")}, {"stream", "disjoint"}, {"tasks", "1"},
                      {"learner", "er"},       {"memory", "20"},       {"epochs", "1"},
                      {"model.width", "0.1"},  {"threads", "1"}};
    settings.insert(settings.end(), more.begin(), more.end());
    Run::create(classify(settings), root_ / "run", silent)->execute();
    change();
    const auto run = Run::open(root_ / "run", {}, silent);
    run->begin_update({{"data", data("second")}});
    run->execute();
    return run->metrics_json();
  }
  uint64_t count_ = 0;
};

TEST_F(EarlierData, AreMeasuredAgain) {
  const json m = updated([] {});
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_number()) << m["accuracy_matrix"];
  EXPECT_THAT(log(), Not(HasSubstr("cannot be measured")));
}

TEST_F(EarlierData, AClassThatTheyHaveGainedIsNotLearned) {
  const json m = updated([&] {
    for (int i = 0; i < 6; ++i) photograph("first/train/fly/" + std::to_string(i) + ".png", 1000 + i);
  });
  EXPECT_EQ(m["class_names"], (std::vector<std::string>{"ant", "bee", "cat", "dog"}));
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_number()) << "what is held out is what it was";
}

TEST_F(EarlierData, AreNotMeasuredWhenWhatTheyHoldOutIsAnother) {
  const json m = updated([&] { photograph("first/test/bee/7.png", 5000); });
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_null()) << m["accuracy_matrix"];
  EXPECT_TRUE(m["accuracy_matrix"][1][1].is_number());
  EXPECT_THAT(log(), HasSubstr("cannot be measured any more"));
  EXPECT_THAT(log(), HasSubstr("other samples or labels"));
}

// Which of both ways is settled when the run begins: what the test part alone takes does not count.
TEST_F(EarlierData, DecodedOnDemandAreMeasuredAgain) {
  const double physical = static_cast<double>(physical_memory_bytes());
  const double share = 16 * 8 * 8 * 3 * 0.6 / physical;  // of 16 photographs, of which 4 are held out
  const json m = updated([] {}, {{"data.memory_share", fmt::format("{:.20f}", share)}});
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_number()) << m["accuracy_matrix"];
}

// Versions before did not note what was held out.
TEST_F(EarlierData, OfAnOldStateAreMeasuredAsTheyAre) {
  const json m = updated([&] {
    photograph("first/test/bee/7.png", 5000);
    for (const auto& entry : std::filesystem::directory_iterator(root_ / "run" / "checkpoint")) {
      State state = decode_state(read_file(entry.path()), "old");
      json& classify = state.values["classify"];
      EXPECT_EQ(classify.erase("test_hash") + classify.erase("earlier_tests"), 2U);
      write_state(entry.path(), state);
    }
  });
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_number());
}

TEST_F(EarlierData, AreNotMeasuredWhenTheyAreGone) {
  const json m = updated([&] { std::filesystem::remove_all(root_ / "first"); });
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_null());
  EXPECT_THAT(log(), HasSubstr("cannot be measured any more"));
}

}  // namespace
}  // namespace perennial::testing
