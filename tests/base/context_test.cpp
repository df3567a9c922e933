#include "perennial/base/context.h"

#include <atomic>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Thing {
  std::string name;
};

Registry<Thing>& things() {
  return Context::current().registry<Thing>(
      [] { return Registry<Thing>("thing", "what", {{"stone"}, {"leaf"}}); });
}

TEST(Context, AThreadIsInItsOwnUntilItEntersAnother) {
  Context& own = Context::current();
  Context outer, inner;
  {
    const Context::Use use(outer);
    EXPECT_EQ(&Context::current(), &outer);
    {
      const Context::Use nested(inner);
      EXPECT_EQ(&Context::current(), &inner);
    }
    EXPECT_EQ(&Context::current(), &outer);
    std::jthread([&] { EXPECT_NE(&Context::current(), &outer); }).join();
  }
  EXPECT_EQ(&Context::current(), &own);
}

TEST(Context, TwoLogsHaveTheLinesOfTheirOwnWork) {
  const TemporaryFolder folder;
  const auto work = [&](const std::string& name) {
    Context context;
    const Context::Use use(context);
    context.log.to(folder / name, false);
    for (int i = 0; i < 100; ++i) log_info("of " + name);
  };
  std::jthread one([&] { work("one"); }), two([&] { work("two"); });
  one.join(), two.join();
  EXPECT_THAT(read_file(folder / "one"), HasSubstr("of one"));
  EXPECT_THAT(read_file(folder / "one"), Not(HasSubstr("of two")));
  EXPECT_THAT(read_file(folder / "two"), Not(HasSubstr("of one")));
}

TEST(Context, EachHasItsThreadsAndTheyAreInIt) {
  Context four, two;
  four.threads.resize(4);
  two.threads.resize(2);
  const auto work = [](Context& context, int threads) {
    const Context::Use use(context);
    for (int round = 0; round < 50; ++round) {
      EXPECT_EQ(thread_count(), threads);
      std::atomic<int> elsewhere = 0;
      parallel_for(100, 1, [&](int64_t, int64_t) { elsewhere += &Context::current() != &context; });
      EXPECT_EQ(elsewhere, 0);
    }
  };
  std::jthread a([&] { work(four, 4); }), b([&] { work(two, 2); });
}

TEST(Context, WhatOneRegistersTheOtherDoesNotKnow) {
  Context one, two;
  const Context::Use use(one);
  things().add({"water"});
  EXPECT_EQ(things().find("water").name, "water");
  Context beside = Context::beside(one);
  {
    const Context::Use nested(beside);
    EXPECT_EQ(things().all().size(), 3);
    things().add({"cloud"});
  }
  EXPECT_EQ(things().all().size(), 4);
  const Context::Use nested(two);
  EXPECT_EQ(things().all().size(), 2);
}

TEST(Registry, NamesAreToldApart) {
  Registry<Thing> all("thing", "what", {{"stone"}, {"leaf"}});
  const Thing& leaf = all.find("leaf");
  for (int i = 0; i < 100; ++i) all.add({"thing " + std::to_string(i)});
  EXPECT_EQ(&leaf, &all.find("leaf")) << "references stay good";
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message([&] { all.add({"leaf"}); }), "a thing named 'leaf' exists already");
  EXPECT_EQ(message([&] { all.find("leav"); }), "what: unknown thing 'leav' (did you mean 'leaf'?)");
}

}  // namespace
}  // namespace perennial
