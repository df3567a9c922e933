#include "perennial/base/display_width.h"

#include <gtest/gtest.h>

namespace perennial {
namespace {

TEST(CutToWidth, CountsWhatATerminalShows) {
  EXPECT_EQ(cut_to_width("task 1/5", 4), "task");
  EXPECT_EQ(cut_to_width("task", 4), "task");
  EXPECT_EQ(cut_to_width("task", 0), "");
  EXPECT_EQ(cut_to_width("task", -1), "");
  EXPECT_EQ(cut_to_width("\u00e9t\u00e9", 2), "\u00e9t");
  EXPECT_EQ(cut_to_width("\u2588\u2591\u2591", 2), "\u2588\u2591");
  EXPECT_EQ(cut_to_width("\u5199\u771f", 3), "\u5199");  // wide: two columns each
  EXPECT_EQ(cut_to_width("e\u0301e", 1), "e\u0301");     // a combining accent: none
  EXPECT_EQ(cut_to_width("\U0001f600x", 2), "\U0001f600");
}

TEST(CutToWidth, LeavesNothingThatMovesTheCursor) {
  EXPECT_EQ(cut_to_width("a\nb\x1b[2Jc\td", 20), "a?b?[2Jc?d");
  EXPECT_EQ(cut_to_width("caf\xe9", 20), "caf?");      // Latin-1
  EXPECT_EQ(cut_to_width("\xe5\x86", 20), "??");       // cut short
  EXPECT_EQ(cut_to_width("\xc2\x9b[2J", 20), "?[2J");  // a control character of two bytes
}

}  // namespace
}  // namespace perennial
