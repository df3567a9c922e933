// `perennial query`: whom to ask about, from a pool of features or images.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "perennial/base/random.h"
#include "perennial/base/text.h"
#include "perennial/io/safetensors.h"
#include "tests/apps/command.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class QueryCli : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// 40 samples around each of three corners.
  void make_pool() {
    at::Tensor features = at::zeros({120, 8});
    Random random(1, "pool");
    for (int64_t i = 0; i < 120; ++i)
      for (int64_t d = 0; d < 8; ++d) features[i][d] = (d == i / 40 ? 10 : 0) + random.normal();
    write_safetensors(folder_ / "pool.safetensors", {{{"features", features.to(at::kHalf)}}, {}});
  }

  Outcome query(const std::string& arguments) const {
    return perennial_command("query features:" + path("pool.safetensors") + " --out " + path("picks.csv") +
                             " " + arguments);
  }
  std::vector<std::string> lines() const { return split(read_file(folder_ / "picks.csv"), '\n'); }
  static std::string field(const std::string& line, size_t i) { return split(line, ',').at(i); }

  TemporaryFolder folder_;
};

TEST_F(QueryCli, AsksOfEachClusterWhereNothingIsLabelled) {
  make_pool();
  ASSERT_EQ(query("--strategy typiclust --budget 3").status, 0);
  ASSERT_THAT(lines(), SizeIs(4));
  EXPECT_EQ(lines()[0], "rank,path,typiclust,predicted,probability");
  std::set<int64_t> corners;
  for (size_t i = 1; i < 4; ++i) corners.insert(parse_int(field(lines()[i], 1), "row") / 40);
  EXPECT_THAT(corners, SizeIs(3));
  const std::string first = read_file(folder_ / "picks.csv");
  query("--strategy typiclust --budget 3 --threads 1");
  EXPECT_EQ(read_file(folder_ / "picks.csv"), first);
}

TEST_F(QueryCli, LearnsWhatIsLabelledAndAsksAboutTheRest) {
  make_pool();
  std::string answers = "path,label\n999,dog\n";
  for (int i = 0; i < 6; ++i) answers += fmt::format("{},cat\n{},dog\n{},none of these\n", i, 40 + i, 80 + i);
  write_file_atomic(folder_ / "answers.csv", answers);
  const std::string with = " --labelled " + path("answers.csv");
  const Outcome asked = query("--strategy margin --budget 4" + with);
  ASSERT_EQ(asked.status, 0) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("1 of the lines of"));
  ASSERT_THAT(lines(), SizeIs(5));
  for (size_t i = 1; i < 5; ++i) {
    // Torn between the two is the corner that is neither; six of it have been asked about.
    EXPECT_GE(parse_int(field(lines()[i], 1), "row"), 86);
  }
  ASSERT_EQ(query("--strategy \"margin:20x | balance\" --budget 4" + with).status, 0);
  EXPECT_EQ(lines()[0], "rank,path,margin,balance,predicted,probability");
  int64_t cats = 0;
  for (size_t i = 1; i < 5; ++i) cats += field(lines()[i], 4) == "cat" ? 1 : 0;
  EXPECT_EQ(cats, 2);
}

TEST_F(QueryCli, TakesImagesThatAListNames) {
  const std::string images = path("shots");
  ASSERT_EQ(
      perennial_command("learn --data digits --memory 50 --epochs 2 --threads 1 --quiet --out " + path("run"))
          .status,
      0);
  make_folder(images);
  for (const char* name : {"a.png", "b.png", "c.png"})
    copy_file(folder_ / "run" / "memory.png", folder_ / "shots" / name);
  write_file_atomic(folder_ / "list.csv", "path\nshots/a.png\nshots/c.png\n");
  const Outcome asked = perennial_command("query csv:" + path("list.csv") + " --run " + path("run") +
                                          " --strategy entropy --budget 5 --out " + path("picks.csv"));
  ASSERT_EQ(asked.status, 0) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("has only 2 samples"));
  ASSERT_THAT(lines(), SizeIs(3));
  EXPECT_THAT(read_file(folder_ / "picks.csv"), HasSubstr("shots/c.png"));
}

TEST_F(QueryCli, SaysWhatIsMissing) {
  make_pool();
  EXPECT_THAT(query("--strategy margin --budget 3").err, HasSubstr("nothing is labelled yet"));
  EXPECT_THAT(query("--strategy kmean --budget 3").err, HasSubstr("kmeans"));
  EXPECT_THAT(query("--strategy kmeans").err, HasSubstr("--budget is missing"));
  EXPECT_EQ(query("--strategy kmeans").status, 2);
  write_file_atomic(folder_ / "answers.csv", "path,label\n0,cat\n0,dog\n");
  EXPECT_THAT(query("--strategy kmeans --budget 3 --labelled " + path("answers.csv")).err,
              HasSubstr("line 3"));
  EXPECT_THAT(perennial_command("query --list").out, HasSubstr("badge"));
  EXPECT_THAT(perennial_command("query folder:" + path("none") + " --strategy kmeans --budget 1 --out x").err,
              HasSubstr("none"));
}

TEST_F(QueryCli, RefusesFeaturesThatAreNone) {
  write_safetensors(folder_ / "pool.safetensors", {{{"features", at::zeros({3})}}, {}});
  EXPECT_THAT(query("--strategy kmeans --budget 3").err, HasSubstr("features [samples, values]"));
  at::Tensor features = at::zeros({4, 2});
  features[1][1] = NAN;
  write_safetensors(folder_ / "pool.safetensors", {{{"features", features}}, {}});
  EXPECT_THAT(query("--strategy kmeans --budget 3").err, HasSubstr("1 of 4 samples with NaN"));
}

}  // namespace
}  // namespace perennial
