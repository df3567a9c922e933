#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/apps/command.h"

namespace perennial {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kLearn =
    "learn --data digits --memory 50 --tasks 3 --epochs 3 --width 0.2 --threads 1 --quiet --set "
    "stream.limit=400 ";

/// One line on standard error, and the status.
void expect_complaint(const std::string& arguments, int status, const std::string& says) {
  const Outcome o = perennial_command(arguments);
  EXPECT_EQ(o.status, status) << arguments << "\n" << o.err;
  EXPECT_THAT(o.err, HasSubstr(says)) << arguments;
  EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
}

/// A run of rm on digits, made once.
class CliRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    const Outcome o = perennial_command(kLearn + ("--learner rm --out " + path("run")));
    ASSERT_EQ(o.status, 0) << o.err;
    const Outcome e =
        perennial_command("data export --data digits --classes 0,1 --quiet --out " + path("images"));
    ASSERT_EQ(e.status, 0) << e.err;
    for (const std::string part : {"/train", "/test"}) {
      make_folder(path("foreign") + part);
      std::filesystem::copy(path("images") + part + "/0", path("foreign") + part + "/x");
      std::filesystem::copy(path("images") + part + "/1", path("foreign") + part + "/y");
    }
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static TemporaryFolder* folder_;
};
TemporaryFolder* CliRun::folder_ = nullptr;

TEST(Cli, UsageErrorsAreOneLineThatSaysWhatToDo) {
  EXPECT_EQ(perennial_command("").status, 2);
  EXPECT_THAT(perennial_command("").err, HasSubstr("perennial learn --data digits"));
  expect_complaint("lern", 2, "did you mean 'learn'");
  expect_complaint("learn --learnr rm --out x", 2, "did you mean '--learner'");
  expect_complaint("learn --learner rmm --out x", 2, "did you mean 'rm'");
  expect_complaint("learn --data digits --stream blury10 --out x", 2, "blurry");
  expect_complaint("learn --data digits", 2, "--out");
  expect_complaint("learn --data digits --set rm.veiws=3 --out x", 2, "rm.views");
  expect_complaint("learn --data digits --set rm.views --out x", 2, "key=value");
  expect_complaint("learn --data digits --memory lots --out x", 2, "50MB");
  expect_complaint("learn --data digits --learner er --set rm.views=3 --out x", 2,
                   "rm.views is an option of the learner rm, and this is er");
  expect_complaint("learn --data digits --as-released true --out x", 2, "a switch stands alone");
  expect_complaint("learn --data digits --memory 0 --out x", 2, "memory: 0 holds no sample");
  expect_complaint("learn --data digits --memory 10B --out x", 2, "holds no sample");
  expect_complaint("methods nothing", 2, "unknown method");
  expect_complaint("eval --data digits", 2, "RUN");
}

TEST(Cli, FailuresNameTheFileAndWhatWasExpected) {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  expect_complaint("learn --data folder:/nonexistent --out " + out, 1, "/nonexistent");
  expect_complaint("learn --data cifar10:/nonexistent --out " + out, 1, "/nonexistent");
  expect_complaint("learn /nonexistent.toml --out " + out, 1, "/nonexistent.toml");
  write_file(folder / "wrong.toml", "seed = 1\n[rm]\nveiws = 3\n");
  expect_complaint("learn " + (folder / "wrong.toml").string() + " --out " + out, 2,
                   "wrong.toml:3: unknown option 'rm.veiws' (did you mean 'rm.views'?)");
  expect_complaint("predict /nonexistent image.jpg", 1, "perennial learn");
  expect_complaint("report /nonexistent", 1, "metrics.json");
  make_folder(folder / "empty");
  expect_complaint("learn --data folder:" + (folder / "empty").string() + " --out " + out, 1, "empty");
}

TEST(Cli, HelpTeachesByExample) {
  for (const char* command : {"learn", "update", "predict", "eval", "compare", "data"})
    EXPECT_THAT(perennial_command(std::string(command) + " --help").out,
                HasSubstr("perennial " + std::string(command)));
  EXPECT_EQ(perennial_command("--help").status, 0);
  EXPECT_THAT(perennial_command("--version").out, HasSubstr("libtorch"));
}

TEST(Cli, MethodsListsAllAndShowsOptionsOfOne) {
  const json all = json::parse(printed_by("methods --json"));
  std::vector<std::string> names;
  for (const auto& m : all) names.push_back(m["name"]);
  EXPECT_THAT(names, testing::IsSupersetOf({"finetune", "er", "ewc", "gdumb", "joint", "rm", "rm-offline"}));
  EXPECT_THAT(perennial_command("methods rm").out, HasSubstr("rm.stride"));
}

TEST(Cli, CompletionIsValidShell) {
  const TemporaryFolder folder;
  const Outcome o = perennial_command("completion bash");
  ASSERT_EQ(o.status, 0);
  write_file_atomic(folder / "completion", o.out);
  EXPECT_EQ(std::system(("bash -n " + (folder / "completion").string()).c_str()), 0);
  EXPECT_THAT(o.out, HasSubstr("--learner"));
}

TEST_F(CliRun, JsonOfLearnIsMetricsJson) {
  const Outcome o = perennial_command(kLearn + ("--learner er --json --out " + path("json")));
  ASSERT_EQ(o.status, 0) << o.err;
  const json printed = json::parse(o.out);
  EXPECT_EQ(printed["learner"], "er");
  EXPECT_EQ(printed["a_last"], json::parse(read_file(path("json") + "/metrics.json"))["a_last"]);
}

TEST_F(CliRun, PredictGivesTableCsvAndJsonl) {
  const std::string images = path("images") + "/test/1";
  EXPECT_THAT(perennial_command("predict " + path("run") + " " + images).out, HasSubstr("%"));
  const Outcome csv = perennial_command("predict " + path("run") + " " + images + " --format csv");
  EXPECT_THAT(csv.out, testing::StartsWith("path,label,probability\n"));
  const Outcome jsonl = perennial_command("predict " + path("run") + " " + images + " --format jsonl");
  const json first = json::parse(jsonl.out.substr(0, jsonl.out.find('\n')));
  EXPECT_TRUE(first.contains("path") && first.contains("label") && first.contains("probabilities"));
  size_t ones = 0;
  for (size_t at = 0; (at = jsonl.out.find("\"label\":\"1\"", at)) != std::string::npos; ++at) ++ones;
  const auto lines = static_cast<size_t>(std::count(jsonl.out.begin(), jsonl.out.end(), '\n'));
  const json run = json::parse(read_file(path("run") + "/metrics.json"));  // measured on the same images
  EXPECT_NEAR(static_cast<double>(ones) / static_cast<double>(lines), run["per_class"]["1"].get<double>(),
              1e-9);
}

TEST_F(CliRun, EvalMeasuresByClassName) {
  const json e = json::parse(printed_by("eval " + path("run") + " --data digits --json --quiet"));
  EXPECT_EQ(e["images"], 359);
  EXPECT_EQ(e["accuracy"], json::parse(read_file(path("run") + "/metrics.json"))["a_last"]);
  const Outcome folder =
      perennial_command("eval " + path("run") + " --data folder:" + path("images") + " --json --quiet");
  ASSERT_EQ(folder.status, 0) << folder.err;
  EXPECT_EQ(json::parse(folder.out)["per_class"].size(), 2U);
}

TEST_F(CliRun, EvalRefusesDataOfWhichNothingIsKnown) {
  expect_complaint("eval " + path("run") + " --data folder:" + path("foreign") + " --quiet", 1,
                   "only others (x, y)");
}

TEST_F(CliRun, ResumingAFinishedRunSaysSo) {
  const Outcome o = perennial_command("resume " + path("run") + " --threads 1 --device cpu");
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.err, HasSubstr("has finished"));
}

TEST_F(CliRun, CompareAndReportWritePages) {
  const Outcome o = perennial_command("compare " + path("run") + " --html " + path("compare.html"));
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_THAT(o.out, HasSubstr("A_last"));
  EXPECT_THAT(read_file(path("compare.html")), HasSubstr("<svg"));
  EXPECT_EQ(perennial_command("report " + path("run")).status, 0);
  EXPECT_THAT(read_file(path("run") + "/report.html"), HasSubstr("data:image/png;base64"));
}

TEST_F(CliRun, DataShowSplitAndBack) {
  EXPECT_THAT(perennial_command("data info --data digits").out, HasSubstr("1438"));
  EXPECT_THAT(perennial_command("data show --data digits --stream disjoint --tasks 5").out, HasSubstr("5"));
  const std::string split = "--data digits --stream blurry30 --tasks 5 --seed 7 --quiet ";
  ASSERT_EQ(perennial_command("data split " + split + "--out " + path("splits")).status, 0);
  EXPECT_EQ(perennial_command("data show --data digits --stream splits:" + path("splits")).status, 0);
}

TEST_F(CliRun, InterruptedBySignalItExitsWith130AndResumes) {
  const std::string run = path("interrupted");
  const std::string learn = "env --default-signal=INT " + std::string(PERENNIAL_BINARY) + " " + kLearn +
                            "--learner rm --epochs 400 --out " + run;
  const std::string script = "set -m; " + learn + " & p=$!; while kill -0 $p && [ ! -d " + run +
                             "/checkpoint ]; do sleep 0.05; done; sleep 0.3; kill -INT $p; wait $p";
  const int status = std::system(("bash -c '" + script + "' 2>/dev/null").c_str());
  ASSERT_EQ(WEXITSTATUS(status), 130);
  const Outcome o = perennial_command("resume " + run + " --quiet --json");
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(json::parse(o.out)["finished"], true);
}

TEST_F(CliRun, UpdateAddsClassesFromAFolder) {
  ASSERT_EQ(
      perennial_command(kLearn + ("--learner rm --classes 2,3 --stream shuffled --out " + path("growing")))
          .status,
      0);
  // The exported images are of the size that the run began with.
  const Outcome o =
      perennial_command("update " + path("growing") + " --data digits --classes 0,1 --quiet --json");
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_EQ(json::parse(o.out)["updates"][0]["classes_added"], (std::vector<std::string>{"0", "1"}));
}

}  // namespace
}  // namespace perennial
