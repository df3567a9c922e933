#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/command.h"

namespace perennial {
namespace {

// One line that names the option, and status 2.
void expect_named(const std::string& command, const std::string& option, const std::string& value) {
  const Outcome o = perennial_command(command + " --" + option + " '" + value + "'");
  EXPECT_EQ(o.status, 2) << command << " --" << option << " " << value << "\n" << o.err;
  std::string err = o.err, name = option;
  for (std::string* text : {&err, &name}) std::replace(text->begin(), text->end(), '-', '_');
  EXPECT_THAT(err, testing::HasSubstr(name)) << value;
  EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
}

TEST(BadOptions, OfTheMemoryNameIt) {
  for (const char* value :
       {"1e3", "-5", "", "lots", "nan", "inf", "5XB", "-5MB", "99999999999999999999", "1e30MB", "0MB"})
    expect_named("learn --data digits --out x", "memory", value);
}

TEST(BadOptions, OfNumbersNameThem) {
  const std::string learn = "learn --data digits --out x";
  for (const char* value : {"", "-1", "1e3", "99999999999999999999"}) expect_named(learn, "tasks", value);
  for (const char* value : {"nan", "1e999", "0.1x"}) expect_named(learn, "lr", value);
  expect_named(learn, "threads", "-1");
  expect_named(learn, "seed", "-1");
  expect_named("segment train --data x --out y", "hold-out", "-1");
  expect_named("segment train --data x --out y", "memory", "1e3");
  expect_named("segment layers", "height", "-5");
  expect_named("segment train --data x --out y", "size", "33");
  expect_named("segment run a.png -o b.png", "every", "99999999999999999999");
  expect_named("segment masks . -o x --faces f", "around", "nan");
  expect_named("edge classify m i", "top", "0");
}

TEST(BadOptions, OfWordsNameThem) {
  const std::string learn = "learn --data digits --out x";
  for (const char* option : {"data", "stream", "noise", "dtype", "augment"})
    expect_named(learn, option, "nothing-of-the-kind");
  expect_named("segment train --data x --out y", "loss", "hinge");
  expect_named("predict r i", "format", "xml");
}

}  // namespace
}  // namespace perennial
