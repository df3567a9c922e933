// Two processes at one state, killed ones, read-only folders, and what a run needs from elsewhere: as a user
// meets them.
#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perennial/base/files.h"
#include "perennial/io/image.h"
#include "tests/apps/command.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kLearn =
    "learn --data digits --memory 50 --tasks 2 --epochs 2 --width 0.2 --threads 1 --quiet --set "
    "stream.limit=200 --learner er ";

class Processes : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  int shell(const std::string& script) const {
    const int status = std::system(
        ("cd " + folder_.path().string() + "\nperennial() { " PERENNIAL_BINARY " \"$@\"; }\n" + script)
            .c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  static void expect_done(const std::string& arguments) {
    const Outcome o = perennial_command(arguments);
    EXPECT_EQ(o.status, 0) << arguments << "\n" << o.err;
  }
  static void expect_refused(const std::string& arguments, const std::string& says) {
    const Outcome o = perennial_command(arguments);
    EXPECT_EQ(o.status, 1) << arguments << "\n" << o.err;
    EXPECT_THAT(o.err, HasSubstr(says)) << arguments;
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
  }
  void draw(const std::string& name, uint8_t shade) const {
    for (const std::string part : {"dark", "light"}) {
      make_folder(folder_ / name / part);
      for (int i = 0; i < 8; ++i) {
        const auto grey = static_cast<uint8_t>(shade + (part == "dark" ? 0 : 120) + i);
        write_file(folder_ / name / part / (std::to_string(i) + ".png"),
                   encode_png({3, 8, 8, std::vector<uint8_t>(192, grey)}));
      }
    }
  }

  TemporaryFolder folder_;
};

TEST_F(Processes, OfTwoThatBeginOneRunOneWins) {
  const std::string two = std::string("for i in 1 2 3; do perennial ") + kLearn +
                          "--out run >/dev/null 2>err$i & eval p$i=$!; done\n"
                          "won=0; for i in 1 2 3; do eval wait \\$p$i && won=$((won + 1)); done; exit $won";
  EXPECT_EQ(shell(two), 1);
  std::string errors;
  for (const char* file : {"err1", "err2", "err3"}) errors += read_file(folder_ / file);
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 2) << errors;
  EXPECT_THAT(errors,
              testing::AnyOf(HasSubstr("no other process at work on it"), HasSubstr("perennial resume")));
  EXPECT_EQ(json::parse(read_file(folder_ / "run" / "metrics.json"))["finished"], true);
  EXPECT_FALSE(fs::exists(folder_ / "run" / ".lock"));
}

TEST_F(Processes, OfTwoUpdatesOneIsTold) {
  draw("data", 20);
  expect_done(kLearn + ("--out " + at("run")));
  const std::string update = "perennial update run --data folder:data --threads 1 --quiet >/dev/null 2>";
  const int status = shell(update + "err1 & p=$!; " + update + "err2; a=$?; wait $p; exit $((a * 10 + $?))");
  const auto updates = json::parse(read_file(folder_ / "run" / "metrics.json"))["updates"];
  if (status == 0) {  // one after the other
    EXPECT_EQ(updates.size(), 2U);
  } else {
    EXPECT_THAT(status, testing::AnyOf(1, 10));
    EXPECT_EQ(updates.size(), 1U);
    EXPECT_THAT(read_file(folder_ / "err1") + read_file(folder_ / "err2"), HasSubstr("no other process"));
  }
}

TEST_F(Processes, AnUpdateStoppedWhileItReadsWasNotBegun) {
  draw("data", 20);
  expect_done(kLearn + ("--out " + at("run")));
  make_folder(folder_ / "large" / "dark");
  constexpr int64_t kSide = 3000;
  write_file(folder_ / "large" / "dark" / "0.png",
             encode_png({3, kSide, kSide, std::vector<uint8_t>(3 * kSide * kSide, 9)}));
  for (int i = 1; i < 100; ++i)
    fs::create_hard_link(folder_ / "large" / "dark" / "0.png",
                         folder_ / "large" / "dark" / (std::to_string(i) + ".png"));
  const std::string before = read_file(folder_ / "run" / "metrics.json");
  EXPECT_EQ(shell(std::string(PERENNIAL_BINARY) + " update run --data folder:large --threads 1 --quiet "
                                                  ">/dev/null 2>err & p=$!; until [ -s run/.lock ]; "
                                                  "do sleep 0.01; done; sleep 0.1; kill -TERM $p; wait $p"),
            130);
  EXPECT_THAT(read_file(folder_ / "err"), HasSubstr("the update was not begun: give the same command again"));
  EXPECT_EQ(read_file(folder_ / "run" / "metrics.json"), before);
  EXPECT_EQ(perennial_command("resume " + at("run") + " --quiet").status, 0);
}

TEST_F(Processes, AKilledOneLocksNobodyOut) {
  const std::string learn = std::string(PERENNIAL_BINARY) + " " + kLearn + "--epochs 400 --out run";
  EXPECT_EQ(  // stopped, it keeps what it locked
      shell(learn + " & p=$!; until ls run/checkpoint/*.safetensors >/dev/null 2>&1; do sleep 0.02; "
                    "done; kill -STOP $p\n"
                    "perennial resume run --quiet 2>err; s=$?; kill -9 $p; wait $p 2>/dev/null; exit $s"),
      1);
  EXPECT_THAT(read_file(folder_ / "err"),
              HasSubstr("expected no other process at work on it, found process "));
  EXPECT_TRUE(fs::exists(folder_ / "run" / ".lock"));
  expect_done("resume " + at("run") + " --quiet");
  EXPECT_FALSE(fs::exists(folder_ / "run" / ".lock"));
}

// As a user who may not write there, root being one who always may.
TEST_F(Processes, AReadOnlyRunIsUsedAndReported) {
  draw("data", 20);
  expect_done(kLearn + ("--out " + at("run")));
  const std::string ordinary =
      ::geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp " : "";
  if (!ordinary.empty() && shell(ordinary + "true") != 0) GTEST_SKIP() << "no setpriv to be an ordinary user";
  const auto as_reader = [&](const std::string& arguments) {
    return shell(ordinary + PERENNIAL_BINARY " " + arguments + " >out 2>err");
  };
  ASSERT_EQ(
      shell("chmod a+rx . ; chmod -R a+r,a-w run; chmod a+x run run/checkpoint; mkdir open; chmod 777 open"),
      0);
  EXPECT_EQ(as_reader("predict run data --threads 1 --quiet"), 0) << read_file(folder_ / "err");
  EXPECT_EQ(as_reader("eval run --data digits --threads 1 --quiet"), 0) << read_file(folder_ / "err");
  EXPECT_EQ(as_reader("compare run"), 0) << read_file(folder_ / "err");
  EXPECT_EQ(as_reader("report run -o open/page.html"), 0) << read_file(folder_ / "err");
  EXPECT_EQ(as_reader("report run"), 1);
  EXPECT_THAT(read_file(folder_ / "err"), HasSubstr("-o FILE"));
  EXPECT_EQ(as_reader("update run --data folder:data --quiet"), 1);
  EXPECT_THAT(read_file(folder_ / "err"), HasSubstr("a place to write to"));
  shell("chmod -R u+w run");
}

TEST_F(Processes, AnUnwritablePlaceIsRefusedBeforeTheDataAreRead) {
  if (::geteuid() == 0 && shell("setpriv --reuid=65534 --regid=65534 --clear-groups true") != 0)
    GTEST_SKIP() << "no setpriv to be an ordinary user";
  const std::string ordinary = ::geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  ASSERT_EQ(shell("chmod a+rx .; mkdir shut; chmod 555 shut"), 0);
  for (const std::string out : {"shut", "shut/run"}) {
    EXPECT_EQ(shell(ordinary + PERENNIAL_BINARY " learn --data folder:absent --out " + out + " 2>err"), 1);
    EXPECT_THAT(read_file(folder_ / "err"), HasSubstr("ermission denied")) << out;
  }
}

TEST_F(Processes, MovedDataAndGoneWeightsFromAnyFolder) {
  draw("data", 20);
  draw("others", 21);
  expect_done(kLearn + ("--out " + at("first")));
  fs::copy_file(folder_ / "first" / "model.safetensors", folder_ / "w.safetensors");
  const std::string learn = std::string("perennial ") + kLearn + "--data folder:data --size 8 --epochs 300 ";
  ASSERT_EQ(shell(learn + "--weights w.safetensors --out whole >/dev/null"), 0);
  ASSERT_EQ(
      shell(std::string(PERENNIAL_BINARY) + " " + kLearn +
            "--data folder:data --size 8 --epochs 300 --weights w.safetensors --set checkpoint.seconds=0 "
            "--out run >/dev/null & p=$!; until ls run/checkpoint/*.safetensors >/dev/null 2>&1; do "
            "sleep 0.005; kill -0 $p || break; done; kill -9 $p; wait $p 2>/dev/null; rm w.safetensors; mv "
            "data moved"),
      0);
  expect_done("predict " + at("whole") + " " + at("moved") + " --threads 1 --quiet");
  const Outcome gone = perennial_command("resume " + at("run") + " --quiet");
  if (gone.status == 0) GTEST_SKIP() << "it had finished before it was killed";
  EXPECT_THAT(gone.err, HasSubstr("resume " + at("run") + " --data"));
  expect_refused("resume " + at("run") + " --quiet --data folder:" + at("others"),
                 "found other samples or labels");
  expect_done("resume " + at("run") + " --quiet --data folder:" + at("moved"));
  const auto measured = [&](const std::string& run) {
    return json::parse(read_file(folder_ / run / "metrics.json"))["confusion"];
  };
  EXPECT_EQ(measured("run"), measured("whole"));
}

TEST_F(Processes, NamesThatAreNotUtf8LeaveNoFolderBehind) {
  draw("data", 20);
  write_file(folder_ / "latin1.csv", "data/dark/0.png,caf\xE9\ndata/light/0.png,caf\xE9\n");
  expect_refused(kLearn + ("--data csv:" + at("latin1.csv") + " --out " + at("run")), "'caf\\xE9'");
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  expect_done(kLearn + ("--out " + at("run")));
}

TEST_F(Processes, EdgeLearnLocksItsFileByWhateverName) {
  const char* data = std::getenv("PERENNIAL_DATA");
  if (data == nullptr || *data == 0) GTEST_SKIP() << "PERENNIAL_DATA is not set: no published weights";
  draw("data", 20);
  expect_done("edge export --weights " + (std::string(data) + "/weights/") +
              "mobilenet_v1_025_128_imagenet_q8.safetensors -o " + at("m.peb"));
  fs::create_symlink("real.pec", folder_ / "link.pec");
  fs::create_symlink(".", folder_ / "here");
  const std::string lessons =
      "n=0; for s in real.pec link.pec here/real.pec ./here/link.pec; do for i in 1 2 3 4 5; do n=$((n + "
      "1))\n"
      "perennial edge learn $s --model m.peb --class k$n data/dark >>done 2>>refused & done; done; wait";
  EXPECT_EQ(shell("touch done refused; " + lessons), 0);
  const std::string done = read_file(folder_ / "done"), refused = read_file(folder_ / "refused");
  const auto learned = std::count(done.begin(), done.end(), '\n');
  EXPECT_EQ(learned + std::count(refused.begin(), refused.end(), '\n'), 20);
  EXPECT_GT(learned, 0);
  if (!refused.empty()) {
    EXPECT_THAT(refused, HasSubstr("no other process at work on it"));
  }
  const std::string said = printed_by("edge predict " + at("real.pec") + " --model " + at("m.peb") + " " +
                                      at("data/dark/0.png") + " --top 100 --json");
  EXPECT_EQ(json::parse(said)["classes"].size(), static_cast<size_t>(learned));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.pec"));
  EXPECT_FALSE(fs::exists(folder_ / "real.pec.lock"));
}

}  // namespace
}  // namespace perennial
