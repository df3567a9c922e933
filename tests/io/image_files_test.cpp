#include "perennial/io/image_files.h"

#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image_fixtures.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ImageFiles : public ::testing::Test {
 protected:
  void file(const std::string& path, const std::string& bytes = "x") const {
    make_folder((root() / path).parent_path());
    std::ofstream(root() / path, std::ios::binary) << bytes;
  }
  void link(const std::string& target, const std::string& path) const {
    make_folder((root() / path).parent_path());
    fs::create_symlink(target, root() / path);
  }
  std::vector<std::string> names(const FoundImages& found) const {
    std::vector<std::string> all;
    for (const auto& path : found.files) all.push_back(path.lexically_relative(root()).generic_string());
    return all;
  }
  fs::path root() const { return folder_ / "root"; }

 private:
  const TemporaryFolder folder_;
};

TEST_F(ImageFiles, EveryUsualEndingInAnyCaseAndDepth) {
  for (const char* name : {"a.jpg", "b.JPEG", "c.jpe", "d.JFIF", "e.png", "deep/er/f.WebP", "g.gif", "h.bmp",
                           "i.dib", "j.tif", "k.TIFF"})
    file(name);
  EXPECT_THAT(names(images_in(root())), ElementsAre("a.jpg", "b.JPEG", "c.jpe", "d.JFIF", "deep/er/f.WebP",
                                                    "e.png", "g.gif", "h.bmp", "i.dib", "j.tif", "k.TIFF"));
  const FoundImages flat = images_in(root(), Depth::kFolder);
  EXPECT_EQ(flat.files.size(), 10U);
  EXPECT_EQ(flat.note(), "1 folder left out");
}

TEST_F(ImageFiles, WhatSystemsWriteIsPassedOver) {
  for (const char* name :
       {".x.jpg", "._a.jpg", ".git/a.jpg", "@eaDir/a.jpg/SYNO.jpg", "__MACOSX/._a.jpg",
        "b/.ipynb_checkpoints/a.jpg", "Thumbs.db", "b/desktop.ini", ".DS_Store", "$RECYCLE.BIN/a.jpg"})
    file(name);
  file("b/a.jpg");
  const FoundImages found = images_in(root());
  EXPECT_THAT(names(found), ElementsAre("b/a.jpg"));
  EXPECT_EQ(found.note(), "");
  EXPECT_THAT(folders_in(root()), ElementsAre("b"));
}

TEST_F(ImageFiles, OtherFilesAreCounted) {
  for (const char* name : {"1.heic", "2.HEIC", "b/3.heic", "a.txt", "README", "a.jpg"}) file(name);
  ::mkfifo((root() / "pipe.jpg").c_str(), 0600);
  link("nowhere", "gone.jpg");
  const FoundImages found = images_in(root());
  EXPECT_THAT(names(found), ElementsAre("a.jpg"));
  EXPECT_EQ(found.note(), "3 .heic, 1 .txt, 1 broken link, 1 extensionless file, 1 special file left out");
}

TEST_F(ImageFiles, ImagesUnderANameThatDoesNotTell) {
  const std::string jpeg = testing::jpeg_rgb(testing::gradient(8, 8));
  for (const char* name : {"8f3a", "phone.HEIC", "kept.jpg_original", "half.part"}) file(name, jpeg);
  const FoundImages found = images_in(root());
  EXPECT_THAT(names(found), ElementsAre("8f3a", "phone.HEIC"));
  EXPECT_EQ(found.note(), "1 .jpg_original, 1 .part left out");
}

TEST_F(ImageFiles, LinksAreFollowedOnceAndCyclesEnd) {
  file("real/a.jpg"), file("real/sub/b.jpg");
  make_folder(root() / "real/sub/x");
  link("../..", "real/sub/up");  // to an ancestor
  link("loop", "loop");          // to itself
  link("two", "one"), link("one", "two");
  link("real/sub", "again");  // a folder that is there already
  link("../real/a.jpg", "other/a2.jpg");
  fs::create_directories(root().parent_path() / "elsewhere");
  std::ofstream(root().parent_path() / "elsewhere/c.jpg") << "x";
  link("../elsewhere", "out");
  const FoundImages found = images_in(root());
  EXPECT_THAT(names(found), ElementsAre("out/c.jpg", "real/a.jpg", "real/sub/b.jpg"));
  EXPECT_EQ(found.note(), "3 broken links left out");
  EXPECT_THAT(names(images_in(root() / "out")), ElementsAre("out/c.jpg"));
}

TEST_F(ImageFiles, FindTakesFilesAsTheyAreAndSaysWhatAnEmptyFolderHolds) {
  file("a/2.jpg"), file("a/1.jpg"), file("odd.name"), file("b/1.heic");
  EXPECT_THAT(names(find_images({root() / "odd.name", root() / "a"})),
              ElementsAre("odd.name", "a/1.jpg", "a/2.jpg"));
  const auto failure = [&](const char* name) -> std::string {
    try {
      find_images({root() / name});
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_THAT(failure("b"), HasSubstr("none (1 .heic left out)"));
  EXPECT_THAT(failure("nowhere"), HasSubstr("a file or a folder"));
}

TEST_F(ImageFiles, AnUnreadableFolderIsAnError) {
  EXPECT_THROW(images_in(root() / "nowhere"), Error);
  EXPECT_THROW(folders_in(root() / "nowhere"), Error);
}

}  // namespace
}  // namespace perennial
