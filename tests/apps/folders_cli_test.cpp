#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "perennial/base/random.h"
#include "perennial/io/image.h"
#include "tests/apps/command.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FoldersCli : public ::testing::Test {
 protected:
  void photograph(const std::string& name, uint64_t number) const {
    Image image{3, 8, 8, std::vector<uint8_t>(192)};
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(mix64(number, i));
    file(name, encode_png(image));
  }
  void file(const std::string& name, const std::string& bytes) const {
    make_folder((folder_ / name).parent_path());
    write_file(folder_ / name, bytes);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  Outcome run(const std::string& arguments, int status) const {
    const Outcome o = perennial_command(arguments);
    EXPECT_EQ(o.status, status) << arguments << "\n" << o.err;
    return o;
  }

  const TemporaryFolder folder_;
};

TEST_F(FoldersCli, PredictionsOfGoodImagesStandBesideABadOne) {
  run("learn --data digits --tasks 1 --stream shuffled --memory 20 --epochs 1 --threads 1 --quiet --out " +
          path("run"),
      0);
  photograph("in/good.png", 1), photograph("in/sub/good2.png", 2), photograph("in/.hidden.png", 3);
  photograph("in/@eaDir/good.png/thumb.jpg", 4);
  file("in/bad.jpg", "rubbish"), file("in/phone.heic", "x");
  fs::create_directory_symlink(folder_ / "in", folder_ / "in" / "loop");
  const std::string command = "predict " + path("run") + " " + path("in") + " --threads 1 --format csv";
  const Outcome strict = run(command, 1), lenient = run(command + " --skip-bad", 0);
  for (const Outcome* o : {&strict, &lenient}) {
    EXPECT_THAT(o->out, AllOf(HasSubstr("good.png"), HasSubstr("good2.png"), Not(HasSubstr("hidden"))));
    EXPECT_THAT(o->out, AllOf(Not(HasSubstr("thumb")), Not(HasSubstr("loop"))));
    EXPECT_THAT(o->err, AllOf(HasSubstr("bad.jpg"), HasSubstr("1 .heic left out")));
  }
  file("heic/a.heic", std::string("\0\0\0\x18", 4) + "ftypheic" + std::string(4, '\0') + "mif1heic");
  EXPECT_THAT(run("predict " + path("run") + " " + path("heic"), 1).err,
              HasSubstr("none (1 .heic left out)"));
  EXPECT_THAT(run("predict " + path("run") + " " + path("heic/a.heic"), 1).err,
              HasSubstr("HEIC; convert it to JPEG"));
  run("predict " + path("run") + " " + path("in/bad.jpg") + " --skip-bad", 1);
}

// A damaged file must not be the one that its class is tested on.
TEST_F(FoldersCli, EveryClassHasATestImageThatCanBeRead) {
  for (const std::string name : {"ant", "bee"})
    for (int i = 0; i < 6; ++i) {
      photograph("data/" + name + "/" + std::to_string(i) + ".png", static_cast<uint64_t>(i) + name.size());
      file("data/" + name + "/bad" + std::to_string(i) + ".png", std::string(static_cast<size_t>(i), 'x'));
    }
  run("data export --quiet --skip-bad --data folder:" + path("data") + " --out " + path("out"), 0);
  for (const char* name : {"out/train/ant", "out/train/bee", "out/test/ant", "out/test/bee"})
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
}

TEST_F(FoldersCli, NothingOfTheLayoutIsPassedOverInSilence) {
  for (const char* name : {"a/train/ant/0.png", "a/train/ant/1.png", "b/ant/0.png", "b/ant/1.png"})
    photograph(name, 1 + name[0]);
  make_folder(folder_ / "a" / "test");
  EXPECT_THAT(run("data info --data folder:" + path("a"), 1).err,
              HasSubstr("test/ without a class's folder"));
  fs::remove(folder_ / "a" / "test");
  fs::create_directory_symlink("nowhere", folder_ / "a" / "test");
  fs::create_directory_symlink("nowhere", folder_ / "b" / "bee");
  for (const char* name : {"a", "b"})
    EXPECT_THAT(run("data info --data folder:" + path(name), 0).out, HasSubstr("1 broken links")) << name;
  for (const char* none : {"','", "' '"})
    EXPECT_THAT(run("data info --data folder:" + path("b") + " --classes " + none, 2).err,
                HasSubstr("data.classes: "));
  file("l.csv", "b/ant/0.png,@eaDir\nb/ant/1.png,ant\n");
  EXPECT_THAT(
      run("data export --data csv:" + path("l.csv") + " --set data.test_share=0 --out " + path("out"), 1).err,
      HasSubstr("'@eaDir'"));
}

TEST_F(FoldersCli, TrainingNamesTheBadFilesOrSkipsThem) {
  for (uint64_t i = 0; i < 12; ++i)
    photograph("set/" + std::string(i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + ".png", i);
  file("set/a/bad.jpg", "rubbish"), file("set/b/worse.png", "\x89PNG\r\n\x1a\nrubbish");
  const std::string data = " --data folder:" + path("set") + " ";
  EXPECT_THAT(run("data info" + data, 1).err,
              AllOf(HasSubstr("bad.jpg"), HasSubstr("1 more"), HasSubstr("worse.png")));
  EXPECT_THAT(run("data info --skip-bad" + data, 0).out, AllOf(HasSubstr("bad.jpg"), HasSubstr("worse.png")));
  const std::string learn = "learn --tasks 1 --stream shuffled --epochs 1 --threads 1 --memory 10" + data;
  EXPECT_THAT(run(learn + "--out " + path("strict"), 1).err, HasSubstr("bad.jpg"));
  EXPECT_THAT(run(learn + "--skip-bad --out " + path("lenient"), 0).err, HasSubstr("bad.jpg"));
  run("update " + path("lenient") + data, 1);
  run("update " + path("lenient") + data + "--skip-bad --quiet", 0);
  run("eval " + path("lenient") + data, 1);
  run("eval " + path("lenient") + data + "--skip-bad", 0);
}

}  // namespace
}  // namespace perennial
