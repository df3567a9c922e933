#include "perennial/base/text.h"

#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perennial {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Split, TrimsPiecesAndDropsEmptyOnes) {
  EXPECT_THAT(split("a, b ,,c,", ','), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split("", ','), IsEmpty());
  EXPECT_THAT(split(" , ", ','), IsEmpty());
  EXPECT_THAT(split("alone", ','), ElementsAre("alone"));
}

TEST(Trim, CutsBlanksAtBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("\n \t"), "");
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Join, KeepsEmptyPieces) { EXPECT_EQ(join({"", "b", ""}, ","), ",b,"); }

TEST(Nearest, FindsTyposAndRefusesStrangers) {
  const std::vector<std::string> learners{"finetune", "er", "ewc", "gdumb", "joint", "rm"};
  EXPECT_EQ(nearest("fintune", learners), "finetune");
  EXPECT_EQ(nearest("gdubm", learners), "gdumb");
  EXPECT_EQ(nearest("transformer", learners), "");
}

TEST(Suggestion, NamesTheNearestElseAll) {
  EXPECT_EQ(suggestion("jiont", {"joint", "er"}), " (did you mean 'joint'?)");
  EXPECT_EQ(suggestion("transformer", {"joint", "er"}), " (there are: joint, er)");
  EXPECT_EQ(suggestion("x", {}), "");
}

TEST(Parse, AcceptsWholeValuesOnly) {
  EXPECT_EQ(parse_int("-12", "epochs"), -12);
  EXPECT_DOUBLE_EQ(parse_number("2.5e-3", "lr"), 0.0025);
  EXPECT_TRUE(parse_bool("on", "flip"));
  EXPECT_FALSE(parse_bool("0", "flip"));
}

TEST(Parse, ErrorsNameTheValueWhatWasExpectedAndFound) {
  EXPECT_EQ(message_of([] { parse_int("3x", "epochs"); }), "epochs: expected a whole number, found '3x'");
  EXPECT_EQ(message_of([] { parse_int("", "epochs"); }), "epochs: expected a whole number, found ''");
  EXPECT_EQ(message_of([] { parse_int("99999999999999999999", "epochs"); }),
            "epochs: expected a whole number, found '99999999999999999999'");
  EXPECT_EQ(message_of([] { parse_number("nan", "lr"); }), "lr: expected a number, found 'nan'");
  EXPECT_EQ(message_of([] { parse_number("0.1 ", "lr"); }), "lr: expected a number, found '0.1 '");
  EXPECT_THAT(message_of([] { parse_bool("maybe", "flip"); }), HasSubstr("flip: expected true or false"));
}

}  // namespace
}  // namespace perennial
