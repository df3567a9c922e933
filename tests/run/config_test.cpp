#include "perennial/tasks/classify/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/io/toml.h"

namespace perennial {
namespace {

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no error";
}

TEST(Config, ResolvedTomlGivesTheSameConfiguration) {
  for (const Method& method : methods()) {
    const auto config =
        make_config({{"learner", method.name}, {"train.lr", "0.03"}, {"data", "folder:with \"quotes\""}});
    const std::string text = write_toml(config->table());
    EXPECT_EQ(write_toml(make_config(parse_toml(text, "test"))->table()), text) << method.name;
  }
}

TEST(Config, MainKeysMayStandInTheirTablesOrAlone) {
  const auto table =
      make_config(parse_toml("[data]\nsource = 'cifar10:x'\n[stream]\nkind = 'disjoint'\n", "t"));
  const auto alone = make_config(parse_toml("data = 'cifar10:x'\nstream = 'disjoint'\n", "t"));
  EXPECT_EQ(write_toml(table->table()), write_toml(alone->table()));
}

TEST(Config, LaterSettingsWinAndTheMethodAdjustsFirst) {
  EXPECT_EQ(make_config({{"learner", "gdumb"}})->train.memory_batch, 16);
  EXPECT_EQ(make_config({{"learner", "gdumb"}, {"train.memory_batch", "4"}})->train.memory_batch, 4);
  EXPECT_EQ(make_config({{"epochs", "3"}, {"epochs", "7"}})->train.epochs, 7);
}

TEST(Config, AsReleasedTurnsEveryQuirkOnAndYieldsToWhatIsSaid) {
  const auto released = make_config({{"learner", "rm"}, {"as_released", "true"}});
  EXPECT_TRUE(released->train.reset_head);
  EXPECT_TRUE(released->train.drop_last);
  EXPECT_EQ(released->train.schedule, "rainbow_warm_restarts");
  EXPECT_EQ(released->stream.flavour, "rm_files");
  EXPECT_EQ(released->table().find("rm.stride")->get(), "floor");
  const auto own = make_config({{"learner", "rm"}, {"rm.stride", "spread"}, {"as_released", "true"}});
  EXPECT_EQ(own->table().find("rm.stride")->get(), "spread");
}

TEST(Config, UnknownKeysAndBadValuesSuggest) {
  EXPECT_THAT(message_of([] { make_config({{"epohcs", "3"}}); }),
              testing::HasSubstr("did you mean 'epochs'"));
  EXPECT_THAT(message_of([] { make_config({{"learner", "rmm"}}); }), testing::HasSubstr("did you mean 'rm'"));
  EXPECT_THAT(message_of([] { make_config({{"epochs", "many"}}); }), testing::HasSubstr("expected a number"));
  EXPECT_THAT(message_of([] { make_config({{"memory", "lots"}}); }), testing::HasSubstr("50MB"));
  EXPECT_THAT(message_of([] { make_config({{"learner", "er"}, {"rm.views", "3"}}); }),
              testing::HasSubstr("rm.views"));
  EXPECT_THAT(message_of([] { parse_toml("a = [", "file.toml"); }), testing::HasSubstr("file.toml:1"));
  EXPECT_THAT(message_of([] { parse_toml("[a.b]\nc = 1\n[a]\nd = [[1]]\n", "f"); }),
              testing::HasSubstr("f:"));
}

}  // namespace
}  // namespace perennial
