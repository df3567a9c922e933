#include "perennial/base/options.h"

#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perennial {
namespace {

using testing::ElementsAre;

struct Settings {
  bool flip = true;
  int64_t epochs = 5;
  double rate = 0.05;
  std::string schedule = "cosine";

  OptionTable table() {
    OptionTable t;
    t.add("epochs", epochs, "passes over the memory").range(1, 1000).released("256");
    t.section("train.");
    t.add("flip", flip, "mirror images");
    t.add("rate", rate, "learning rate").range(0, 10);
    t.add("schedule", schedule, "of the rate").choices({"cosine", "constant"}).released("constant");
    return t;
  }
};

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(OptionTable, NamesCarryTheirSection) {
  Settings s;
  EXPECT_THAT(s.table().names(), ElementsAre("epochs", "train.flip", "train.rate", "train.schedule"));
}

TEST(OptionTable, SetsTheFieldsAndPrintsThemBack) {
  Settings s;
  const OptionTable t = s.table();
  t.set("epochs", "7");
  t.set("train.flip", "no");
  t.set("train.rate", "0.125");
  t.set("train.schedule", "constant");
  EXPECT_EQ(s.epochs, 7);
  EXPECT_FALSE(s.flip);
  EXPECT_EQ(s.rate, 0.125);
  EXPECT_EQ(s.schedule, "constant");
  std::vector<std::string> printed;
  for (const Option& o : t.options()) printed.push_back(o.get());
  EXPECT_THAT(printed, ElementsAre("7", "false", "0.125", "constant"));
}

TEST(OptionTable, WhatItPrintsParsesToTheSameValue) {
  Settings a, b;
  a.rate = 0.1 + 0.2;
  const OptionTable from = a.table(), to = b.table();
  for (const Option& o : from.options()) to.set(o.name(), o.get());
  EXPECT_EQ(b.rate, a.rate);
}

TEST(OptionTable, AnUnknownNameSuggestsTheNearest) {
  Settings s;
  const OptionTable t = s.table();
  EXPECT_EQ(message_of([&] { t.set("epoch", "7"); }), "unknown option 'epoch' (did you mean 'epochs'?)");
  EXPECT_EQ(t.find("epoch"), nullptr);
}

TEST(OptionTable, RefusesOutOfRangeAndUnknownChoicesAndKeepsTheField) {
  Settings s;
  const OptionTable t = s.table();
  EXPECT_EQ(message_of([&] { t.set("epochs", "0"); }), "epochs: expected a value from 1 to 1000, found 0");
  EXPECT_EQ(message_of([&] { t.set("train.schedule", "cosin"); }),
            "train.schedule: unknown value 'cosin' (did you mean 'cosine'?)");
  EXPECT_EQ(message_of([&] { t.set("epochs", "1.5"); }), "epochs: expected a whole number, found '1.5'");
  EXPECT_EQ(message_of([&] { t.set("train.flip", "maybe"); }),
            "train.flip: expected true or false, found 'maybe'");
  EXPECT_EQ(s.epochs, 5);
  EXPECT_EQ(s.schedule, "cosine");
}

TEST(OptionTable, AsReleasedSetsWhatDiffersAndNothingElse) {
  Settings s;
  s.rate = 0.7;
  s.table().set_as_released();
  EXPECT_EQ(s.epochs, 256);
  EXPECT_EQ(s.schedule, "constant");
  EXPECT_EQ(s.rate, 0.7);
  EXPECT_TRUE(s.flip);
}

}  // namespace
}  // namespace perennial
