#include "perennial/data/shortcut.h"

#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perennial {
namespace {

Dataset grey(int64_t n) {
  Dataset set;
  set.name = "grey";
  set.inputs = at::full({n, 1, 16, 16}, 100, at::kByte);
  set.class_names = {"a", "b", "c"};
  for (int64_t i = 0; i < n; ++i) set.ids.push_back(i), set.labels.push_back(i % 3);
  return set;
}

std::string pixel(const Dataset& set, int64_t i, int64_t y, int64_t x) {
  std::string out;
  for (int64_t c = 0; c < 3; ++c) out += std::to_string(set.inputs[i][c][y][x].item<int64_t>()) + " ";
  return out;
}

TEST(Shortcut, AColourIsThatOfTheClass) {
  const Dataset painted = with_shortcut(grey(30), Shortcut::parse("patch:1"), Bears::kOwn, 1, 1);
  EXPECT_EQ(painted.inputs.size(1), 3);
  std::set<std::string> colours;
  for (int64_t i = 0; i < 30; ++i) {
    EXPECT_EQ(pixel(painted, i, 0, 0), pixel(painted, i % 3, 3, 3));
    EXPECT_EQ(pixel(painted, i, 4, 4), "100 100 100 ");
    colours.insert(pixel(painted, i, 0, 0));
  }
  EXPECT_EQ(colours.size(), 3U);
}

TEST(Shortcut, OfAnotherClassIsNeverItsOwn) {
  const Dataset own = with_shortcut(grey(60), Shortcut::parse("border:1"), Bears::kOwn, 1, 1),
                another = with_shortcut(grey(60), Shortcut::parse("border:1"), Bears::kAnother, 1, 1);
  for (int64_t i = 0; i < 60; ++i) EXPECT_NE(pixel(own, i, 0, 8), pixel(another, i, 0, 8));
}

TEST(Shortcut, AShareOfTheImagesBearsIt) {
  const Dataset painted = with_shortcut(grey(600), Shortcut::parse("background:0.7"), Bears::kOwn, 1, 1);
  int64_t count = 0;
  for (int64_t i = 0; i < 600; ++i) {
    count += pixel(painted, i, 0, 0) != "100 100 100 " ? 1 : 0;
    EXPECT_EQ(pixel(painted, i, 8, 8), "100 100 100 ");
  }
  EXPECT_NEAR(static_cast<double>(count) / 600, 0.7, 0.06);
}

TEST(Shortcut, LeavesTheGivenSetAsItIs) {
  const Dataset set = grey(6);
  with_shortcut(set, Shortcut::parse("patch:1"), Bears::kOwn, 1, 1);
  EXPECT_TRUE(at::equal(set.inputs, grey(6).inputs));
}

TEST(Shortcut, SaysWhatItTakes) {
  EXPECT_FALSE(Shortcut::parse("none").there());
  for (const char* bad : {"patch", "patch:2", "patch:-1", "patch:x", "dot:0.5", "patch:0.5:1", ""})
    EXPECT_THROW(Shortcut::parse(bad), std::invalid_argument) << bad;
}

}  // namespace
}  // namespace perennial
