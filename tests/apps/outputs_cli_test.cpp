#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perennial/io/image.h"
#include "tests/apps/command.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const std::string& arguments, int status) {
  const Outcome o = perennial_command(arguments);
  EXPECT_EQ(o.status, status) << arguments << "\n" << o.err;
  EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
  return o.err;
}

class Outputs : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void image(const std::string& name) const {
    make_folder((folder_ / name).parent_path());
    write_file(folder_ / name, encode_png({3, 8, 8, std::vector<uint8_t>(192, 90)}));
  }
  TemporaryFolder folder_;
};

TEST_F(Outputs, AnEndingThatCannotBeWrittenIsRefusedWithThoseThatCan) {
  image("a.png");
  const std::string run = "segment run " + path("a.png") + " --model m.peb -o ";
  for (const char* out : {"o.bmp", "o", "o.onnx", "o.jpg.txt"})
    EXPECT_THAT(refusal(run + path(out), 2), AllOf(HasSubstr("-o: "), HasSubstr(".png, .jpg, .jpeg"))) << out;
  EXPECT_THAT(refusal("segment run " + folder_.path().string() + " --model m.peb -o " + path("o.png"), 2),
              AllOf(HasSubstr("-o: "), HasSubstr("a folder to write to")));
  for (const char* command : {"segment export --weights w", "edge export --weights w"}) {
    EXPECT_THAT(refusal(command + (" -o " + path("o.onnx")), 2),
                AllOf(HasSubstr(".peb"), HasSubstr("--onnx")));
    EXPECT_THAT(refusal(command + (" -o " + path("o.safetensors")), 2), HasSubstr(".peb"));
    EXPECT_THAT(refusal(command + (" --onnx " + path("o.peb")), 2),
                AllOf(HasSubstr("--onnx"), HasSubstr(".onnx")));
  }
  EXPECT_THAT(refusal("segment export --weights w --size=-5 -o " + path("o.peb"), 2), HasSubstr("--size: "));
  EXPECT_THAT(refusal("learn --data digits --out ''", 2), HasSubstr("out: "));
  EXPECT_THAT(refusal("segment export --weights '' -o " + path("o.peb"), 2), HasSubstr("weights: "));
  EXPECT_THAT(refusal("compare x --html " + path("o.png"), 2),
              AllOf(HasSubstr("--html"), HasSubstr(".html")));
  EXPECT_THAT(refusal("data show --data digits --svg " + path("o.png"), 2),
              AllOf(HasSubstr("--svg"), HasSubstr(".svg")));
  EXPECT_THAT(refusal("edge learn " + path("o.png") + " --model m --class a " + path("a.png"), 2),
              HasSubstr(".pec"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1)
      << "nothing was written";
}

TEST_F(Outputs, NoneLandsOnAnInput) {
  for (const char* name : {"a.png", "in/a.png", "in/b.jpg", "back.png"}) image(name);
  fs::create_symlink("a.png", path("link.png"));
  fs::create_directory_symlink("in", path("inlink"));
  const std::string run = "segment run --model m.peb ";
  for (const std::string& out : {path("a.png"), path("link.png"), path("in/../a.png")})
    EXPECT_THAT(refusal(run + path("a.png") + " -o " + out, 2), HasSubstr("is what is read")) << out;
  for (const std::string& out : {path("in"), path("inlink"), path("in/.")})
    EXPECT_THAT(refusal(run + path("in") + " -o " + out, 2), HasSubstr("is what is read")) << out;
  EXPECT_THAT(
      refusal(run + path("a.png") + " --background " + path("back.png") + " -o " + path("back.png"), 2),
      HasSubstr("back.png"));
  EXPECT_THAT(refusal("data export --data folder:" + path("in") + " --out " + path("in"), 2),
              HasSubstr("--out"));
  EXPECT_THAT(refusal("learn --data folder:" + path("in") + " --out " + path("inlink"), 2),
              HasSubstr("--out"));
  EXPECT_THAT(refusal("segment train --data " + path("in") + " --out " + path("in"), 2), HasSubstr("--out"));
}

// What is written into a folder of images would be read the next time.
TEST_F(Outputs, NoneLandsAmongTheImagesThatAreRead) {
  for (const char* name : {"in/ant/a.png", "in/bee/b.png", "mattes/images/a.png"}) image(name);
  fs::create_directory_symlink("in/ant", path("link"));
  for (const std::string& out : {path("in/ant/run"), path("in/ant"), path("in/run"), path("link/run")}) {
    EXPECT_THAT(refusal("learn --data folder:" + path("in") + " --out " + out, 2), HasSubstr("--out: "))
        << out;
    EXPECT_THAT(refusal("data export --data folder:" + path("in") + " --out " + out, 2),
                HasSubstr("--out: "));
  }
  EXPECT_THAT(refusal("segment train --data " + path("mattes") + " --out " + path("mattes/images"), 2),
              HasSubstr("--out: "));
  for (const char* out : {"r.safetensors", "in/ant/a.png"})
    EXPECT_THAT(refusal("report r -o " + path(out), 2), AllOf(HasSubstr("-o: "), HasSubstr(".html"))) << out;
}

TEST_F(Outputs, ALabelIsNoPath) {
  for (const char* name : {"d/1.png", "d/2.png"}) image(name);
  const auto exported = [&](const std::string& label) {
    write_file(folder_ / "d" / "l.csv", "1.png," + label + "\n2.png,b\n");
    return "data export --quiet --data csv:" + path("d/l.csv") + " --set data.test_share=0 --out " +
           path("e/x");
  };
  for (const char* label : {"../../out", "..", "/tmp/perennial-label", "a/b", ".hidden"})
    EXPECT_THAT(refusal(exported(label), 1), HasSubstr("a class that can name a file")) << label;
  EXPECT_THAT(refusal(exported(std::string(256, 'x')), 1), HasSubstr("256 bytes"));
  EXPECT_FALSE(fs::exists(path("out")));
  EXPECT_FALSE(fs::exists(path("e")));
  const Outcome o = perennial_command(exported("plain"));
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(fs::exists(path("e/x/train/plain/000001.png")));
  EXPECT_THAT(refusal(exported("plain"), 1), HasSubstr("an empty folder")) << "nothing is written over";
}

TEST_F(Outputs, NothingHeldOutIsNoAccuracyAndIsSaid) {
  const Outcome e = perennial_command(
      "data export --data digits --classes 0,1 --set data.limit=20 --quiet --out " + path("images"));
  ASSERT_EQ(e.status, 0) << e.err;
  const std::string data = " --data folder:" + path("images/train") + " --set data.test_share=0 ";
  const Outcome o = perennial_command("learn" + data +
                                      "--tasks 2 --epochs 1 --memory 10 --width 0.2 --threads 1 "
                                      "--eval-every 10 --best-epoch --quiet --json --out " +
                                      path("run"));
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_THAT(o.err, HasSubstr("nothing is held out"));
  const json m = json::parse(o.out);
  for (const char* key : {"a_last", "a_avg", "f_last", "a_auc"}) EXPECT_TRUE(m[key].is_null()) << key;
  EXPECT_TRUE(m["task_accuracy"][0].is_null());
  for (const auto& [name, accuracy] : m["per_class"].items()) EXPECT_TRUE(accuracy.is_null()) << name;
  for (const auto& point : m["curve"]) EXPECT_TRUE(point["accuracy"].is_null());
  EXPECT_THAT(read_file(path("run/metrics.csv")), testing::Not(HasSubstr("nan")));
  EXPECT_THAT(perennial_command("resume " + path("run")).out, HasSubstr("A_last -"));
  EXPECT_EQ(perennial_command("report " + path("run")).status, 0);
  EXPECT_THAT(read_file(path("run/report.html")), HasSubstr("<div class=\"big\"><b>\xE2\x80\x93</b>"));
  const Outcome c = perennial_command("compare " + path("run") + " --html " + path("c.html"));
  EXPECT_EQ(c.status, 0) << c.err;
  EXPECT_THAT(c.out, testing::ContainsRegex("1 +- +- +- +-"));
  const Outcome u = perennial_command("update " + path("run") + data + "--quiet --json");
  EXPECT_EQ(u.status, 0) << u.err;
  EXPECT_TRUE(json::parse(u.out)["updates"][0]["accuracy"].is_null());
}

}  // namespace
}  // namespace perennial
