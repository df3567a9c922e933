// What a run measures of the data of earlier updates, which may have changed since.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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
  json updated(const std::function<void()>& change) {
    folder("first", {"ant", "bee"});
    folder("second", {"cat", "dog"});
    Progress silent;
    Run::create(classify({{"data", data("first")},
                          {"stream", "disjoint"},
                          {"tasks", "1"},
                          {"learner", "er"},
                          {"memory", "20"},
                          {"epochs", "1"},
                          {"model.width", "0.1"},
                          {"threads", "1"}}),
                root_ / "run", silent)
        ->execute();
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

TEST_F(EarlierData, AreNotMeasuredWhenTheyAreGone) {
  const json m = updated([&] { std::filesystem::remove_all(root_ / "first"); });
  EXPECT_TRUE(m["accuracy_matrix"][1][0].is_null());
  EXPECT_THAT(log(), HasSubstr("cannot be measured any more"));
}

}  // namespace
}  // namespace perennial::testing
