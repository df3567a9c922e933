#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/learn/fixtures.h"

namespace perennial {
namespace {

TEST(Methods, UnknownNameSuggestsTheNearest) {
  try {
    find_method("ewcc");
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("did you mean 'ewc'"));
  }
}

TEST(Methods, ANameIsTakenOnce) { EXPECT_THROW(register_method(find_method("rm")), std::invalid_argument); }

TEST(Methods, APolicyThatNeedsMoreThanTheMethodTellsIsRefused) {
  EXPECT_THROW(make_learner({"er", {{"er.policy", "rainbow"}}}), std::invalid_argument);
  EXPECT_NO_THROW(make_learner({"rm", {{"rm.policy", "uncertain"}}}));
}

}  // namespace
}  // namespace perennial
