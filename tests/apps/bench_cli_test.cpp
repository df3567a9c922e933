#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/apps/command.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class BenchCli : public testing::Test {
 protected:
  std::string grid(const std::string& more = "", const std::string& epochs = "2") {
    const fs::path file = folder_ / "grid.toml";
    write_file_atomic(
        file,
        "title = 'Small'\nseeds = [1, 2]\n[base]\ndata = 'digits'\nmemory = 40\ntasks = 2\nepochs = " +
            epochs +
            "\n'model.width' = 0.1\n'stream.limit' = 200\nnoise = 'sym:0.3'\n[axis.learner.er]\nlearner = "
            "'er'\n[axis.learner.puri]\nlearner = 'puridiver'\n'robust.warmup' = 0\n" +
            more);
    return file.string();
  }
  std::string out() const { return (folder_ / "out").string(); }
  Outcome bench(const std::string& file, const std::string& flags = "") {
    return perennial_command("bench " + file + " --quiet --out " + out() + " " + flags);
  }

  TemporaryFolder folder_;
};

TEST_F(BenchCli, RunsAGridAndGoesOnWithIt) {
  const Outcome first = bench(grid());
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("A_last, %"));
  EXPECT_THAT(first.out, HasSubstr("purity, %"));
  EXPECT_THAT(first.out, HasSubstr("puri"));
  for (const char* file :
       {"table.txt", "table.json", "compare.html", "er/1/metrics.json", "puri/2/report.html"})
    EXPECT_TRUE(fs::exists(fs::path(out()) / file)) << file;
  EXPECT_FALSE(fs::exists(fs::path(out()) / "er" / "1.toml"));
  const auto before = fs::last_write_time(fs::path(out()) / "er/1/metrics.json");
  fs::remove_all(fs::path(out()) / "er" / "2");
  const Outcome again = bench(grid(), "--json");
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(fs::last_write_time(fs::path(out()) / "er/1/metrics.json"), before);
  const json table = json::parse(again.out);
  ASSERT_EQ(table.at("rows").size(), 2U);
  EXPECT_EQ(table["rows"][0]["row"], "er");
  EXPECT_EQ(table["rows"][0]["a_last"]["values"].size(), 2U);
  // What the memory's labels are, and what the last epoch took them for.
  const json metrics = json::parse(read_file(fs::path(out()) / "puri/1/metrics.json"));
  EXPECT_GT(metrics.at("memory_purity").get<double>(), 0.5);
  EXPECT_EQ(metrics.at("memory_purity_history").size(), 2U);
  EXPECT_EQ(metrics.at("memory").at("noise").size(), 10U);

  const Outcome other = bench(grid("", "3"));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("epochs = 3"));
}

TEST_F(BenchCli, JudgesItsRows) {
  const Outcome good = bench(grid("[expect.er]\na_last = [50, 50]\n"), "--only er");
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("pass er: a_last"));
  EXPECT_THAT(good.out, Not(HasSubstr("puri ")));
  const Outcome bad = bench(grid("[expect.er]\na_last = [1, 0.5]\n"), "--only er");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.out, HasSubstr("FAIL er: a_last"));
}

TEST_F(BenchCli, ShowsAndJudgesEveryScore) {
  const Outcome o = bench(grid("[axis.sign.patch]\nshortcut = 'patch:0.9'\n[expect.er-patch]\n"
                               "'scores.accuracy_swapped_shortcut' = [50, 50]\n"),
                          "--only er-patch");
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_THAT(o.out, HasSubstr("accuracy swapped shortcut, %"));
  EXPECT_THAT(o.out, HasSubstr("pass er-patch: scores.accuracy_swapped_shortcut"));
  EXPECT_THAT(o.out, Not(HasSubstr("accuracy, %")));  // the headline: A_last
  const Outcome bad = bench(grid("[axis.sign.patch]\nshortcut = 'patch:0.9'\n[expect.er-patch]\n"
                                 "'scores.accuracy' = [300, 1]\n'scores.acuracy' = [50, 50]\n"),
                            "--only er-patch");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.out, Not(HasSubstr("scores.accuracy nan")));
  EXPECT_THAT(bad.out, HasSubstr("scores.acuracy nan"));
}

TEST_F(BenchCli, RefusesWhatCannotBeBeforeItRunsAnything) {
  EXPECT_EQ(bench(grid(), "--only errr").status, 2);
  EXPECT_THAT(bench(grid(), "--only errr").err, HasSubstr("there are: er, puri"));
  const Outcome unknown = bench(grid("[axis.more.x]\n'er.polcy' = 'random'\n"));
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("er.policy"));
  EXPECT_FALSE(fs::exists(fs::path(out()) / "er-x"));
  EXPECT_THAT(bench(grid("[expect.er]\na_lst = [1, 1]\n")).err, HasSubstr("did you mean 'a_last'"));
  EXPECT_EQ(perennial_command("bench missing.toml --out " + out()).status, 1);
}

TEST_F(BenchCli, SaysWhichRunHasFailedAndMakesTheOthers) {
  const Outcome o = bench(grid("[axis.data.there]\n[axis.data.missing]\ndata = 'folder:/no/such/place'\n"),
                          "--only er-there --only er-missing");
  EXPECT_EQ(o.status, 1);
  EXPECT_THAT(o.out, HasSubstr("0 of 2"));
  EXPECT_TRUE(fs::exists(fs::path(out()) / "er-there/1/report.html"));
}

}  // namespace
}  // namespace perennial
