#include "perennial/run/grid.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const Grid& grid) {
  std::vector<std::string> all;
  for (const GridRow& row : grid.rows) all.push_back(row.name);
  return all;
}

std::string value(const GridRow& row, const std::string& option) {
  std::string found = "-";
  for (const Setting& setting : row.settings)
    if (setting.name == option) found = setting.value;
  return found;
}

std::string error(const std::string& text) {
  try {
    parse_grid(text, "grid.toml");
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST(Grid, RowsAreAllCombinationsInTheOrderOfTheFile) {
  const Grid grid = parse_grid(
      "title = 'T'\nseeds = [3, 1]\n[base]\ndata = 'digits'\n[axis.learner.rm]\nlearner = 'rm'\n"
      "[axis.learner.er]\nlearner = 'er'\n'er.policy' = "
      "'random'\n[axis.noise.clean]\n[axis.noise.sym40]\nnoise = 'sym:0.4'\n",
      "grid.toml");
  EXPECT_EQ(grid.title, "T");
  EXPECT_THAT(grid.seeds, ElementsAre(3, 1));
  EXPECT_THAT(names(grid), ElementsAre("rm-clean", "rm-sym40", "er-clean", "er-sym40"));
  EXPECT_EQ(value(grid.rows[3], "noise"), "sym:0.4");
  EXPECT_EQ(value(grid.rows[3], "er.policy"), "random");
  EXPECT_EQ(value(grid.rows[3], "data"), "digits");
  EXPECT_EQ(value(grid.rows[0], "noise"), "-");
}

TEST(Grid, TablesOfOptionsAreWhatTheyAreInAConfiguration) {
  const Grid grid = parse_grid("[base.data]\nsource = 'digits'\nlimit = 3\n", "grid.toml");
  EXPECT_THAT(names(grid), ElementsAre("run"));
  EXPECT_EQ(value(grid.rows[0], "data"), "digits");
  EXPECT_EQ(value(grid.rows[0], "data.limit"), "3");
}

TEST(Grid, ReadsTheEnvironment) {
  ::setenv("PERENNIAL_TEST_PLACE", "/there", 1);
  const Grid grid = parse_grid("[base]\ndata = 'mnist:${PERENNIAL_TEST_PLACE}/mnist'\n", "grid.toml");
  EXPECT_EQ(value(grid.rows[0], "data"), "mnist:/there/mnist");
  ::unsetenv("PERENNIAL_TEST_PLACE");
  EXPECT_THAT(error("[base]\ndata = '${PERENNIAL_TEST_PLACE}'\n"), HasSubstr("export PERENNIAL_TEST_PLACE="));
  EXPECT_THAT(error("[base]\ndata = '${PERENNIAL'\n"), HasSubstr("}"));
}

TEST(Grid, Expects) {
  const Grid grid = parse_grid("[axis.l.rm]\n[expect.rm]\na_last = [94.4, 1]\n", "grid.toml");
  ASSERT_EQ(grid.rows[0].expected.size(), 1U);
  EXPECT_EQ(grid.rows[0].expected[0].figure, "a_last");
  EXPECT_EQ(grid.rows[0].expected[0].value, 94.4);
  EXPECT_EQ(grid.rows[0].expected[0].tolerance, 1);
}

TEST(Grid, SaysWhereItIsWrong) {
  EXPECT_THAT(error("[axis.l.rm]\n[expect.er]\na_last = [1, 1]\n"), HasSubstr("grid.toml:3"));
  EXPECT_THAT(error("[axis.l.rm]\n[expect.rm]\na_last = 1\n"), HasSubstr("[value, tolerance]"));
  EXPECT_THAT(error("seeds = []\n"), HasSubstr("seeds"));
  EXPECT_THAT(error("seeds = [1, 1]\n"), HasSubstr("different"));
  EXPECT_THAT(error("seed = 1\n"), HasSubstr("[base]"));
  EXPECT_THAT(error("[axis.noise]\nclean = 'none'\n"), HasSubstr("[axis.noise.clean]"));
  EXPECT_THAT(error("[axis.l.'a/b']\n"), HasSubstr("letters"));
  EXPECT_THAT(error("[axis.l.'..']\n"), HasSubstr("letters"));
  EXPECT_THAT(error("[axis.a.x]\n[axis.a.x-y]\n[axis.b.y-z]\n[axis.b.z]\n"), HasSubstr("two named"));
  std::string large;
  for (int axis = 0; axis < 5; ++axis)
    for (int v = 0; v < 10; ++v) large += "[axis.a" + std::to_string(axis) + ".v" + std::to_string(v) + "]\n";
  EXPECT_THAT(error(large), HasSubstr("at most 10000 rows"));
}

}  // namespace
}  // namespace perennial
