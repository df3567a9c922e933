#include "perennial/base/outputs.h"

#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::AllOf;
using testing::HasSubstr;

template <class Kind>
std::string complaint(const std::function<void()>& body) {
  try {
    body();
  } catch (const Kind& e) {
    return e.what();
  }
  return "";
}

TEST(Outputs, TheEndingIsOneOfThoseThatCanBeWritten) {
  const TemporaryFolder folder;
  const auto refused = [](const std::filesystem::path& file) {
    return complaint<std::invalid_argument>([&] { require_ending("--svg", file, {".svg", ".html"}); });
  };
  EXPECT_EQ(refused("a.svg"), "");
  EXPECT_EQ(refused("dir.png/A.SVG"), "");
  EXPECT_EQ(refused("/dev/null"), "");
  EXPECT_EQ(refused("a.html"), "");
  for (const char* file : {"a.png", "a", "", ".svg", "a.svg.gz", "svg", "a."})
    EXPECT_THAT(refused(file), AllOf(HasSubstr("--svg"), HasSubstr(".svg, .html"), HasSubstr(file))) << file;
  make_folder(folder / "a.svg");
  EXPECT_THAT(refused(folder / "a.svg"), HasSubstr("found the folder"));
}

TEST(Outputs, AnInputIsKnownByWhateverName) {
  const TemporaryFolder folder;
  write_file(folder / "in.png", "x");
  write_file(folder / "other.png", "x");
  make_folder(folder / "sub");
  std::filesystem::create_symlink("in.png", folder / "link.png");
  std::filesystem::create_hard_link(folder / "in.png", folder / "hard.png");
  std::filesystem::create_directory_symlink(".", folder / "here");
  const auto refused = [&](const std::filesystem::path& out) {
    return complaint<std::invalid_argument>(
        [&] { require_no_input("-o", out, {folder / "absent", folder / "in.png", folder.path()}); });
  };
  EXPECT_EQ(refused(folder / "other.png"), "");
  EXPECT_EQ(refused(folder / "new.png"), "");
  for (const char* name :
       {"in.png", "link.png", "hard.png", "sub/../in.png", "here/in.png", ".", "here/sub/.."})
    EXPECT_THAT(refused(folder / name), HasSubstr("-o: ")) << name;
}

TEST(Outputs, AFolderThatIsReadHoldsNoOutput) {
  const TemporaryFolder folder;
  make_folder(folder / "data/ant");
  make_folder(folder / "data2");
  std::filesystem::create_directory_symlink("data/ant", folder / "link");
  const auto refused = [&](const std::filesystem::path& out) {
    return complaint<std::invalid_argument>([&] { require_outside("--out", out, folder / "data"); });
  };
  for (const char* name : {"out", "data2/out", ".", "data/../out", "data/../data2"})
    EXPECT_EQ(refused(folder / name), "");
  for (const char* name :
       {"data", "data/out", "data/ant", "data/ant/a/b", "link", "link/new/run", "data2/../data/x"})
    EXPECT_THAT(refused(folder / name), AllOf(HasSubstr("--out: "), HasSubstr("which is read"))) << name;
}

TEST(Outputs, NoTwoShareAPlaceAndNoneIsRead) {
  const TemporaryFolder folder;
  for (const char* name : {"a.png", "b.png"}) write_file(folder / name, "x");
  std::filesystem::create_symlink("a.png", folder / "to-a.png");
  const auto refused = [&](const std::vector<Output>& outputs) {
    return complaint<Error>([&] { require_apart("testing", outputs); });
  };
  EXPECT_EQ(refused({{folder / "a.png", folder / "1.png"}, {folder / "b.png", folder / "2.png"}}), "");
  EXPECT_THAT(refused({{"x/a.jpg", "o/a.png"}, {"y/a.png", "o/./a.png"}}),
              AllOf(HasSubstr("y/a.png"), HasSubstr("x/a.jpg")));
  EXPECT_THAT(refused({{"a.jpg", "o/a.png"}, {"A.jpg", "o/A.png"}}), HasSubstr("A.jpg"));
  EXPECT_THAT(refused({{folder / "a.png", folder / "1.png"}, {folder / "b.png", folder / "to-a.png"}}),
              HasSubstr("that is not read"));
  EXPECT_THAT(refused({{"x", folder / "a.png"}, {"y", folder / "to-a.png"}}), HasSubstr("name of its own"));
}

TEST(Outputs, ATextFromDataNamesAFileOnlyWhereItIsNoPath) {
  const auto refused = [](const std::string& name) {
    return complaint<Error>([&] { require_file_name("exporting", "class", name); });
  };
  for (const char* name : {"cat", "my cat", "n\xC3\xA4he", "-x", "a.b", "C:\\x", "\xE4"})
    EXPECT_EQ(refused(name), "") << name;
  EXPECT_EQ(refused(std::string(255, 'x')), "");
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("../../x"),
                                  std::string("/etc/x"), std::string("a/b"), std::string("a/"),
                                  std::string(".hidden"), std::string("a\0b", 3), std::string(256, 'x')})
    EXPECT_THAT(refused(name), HasSubstr("exporting: expected a class that can name a file")) << name;
}

}  // namespace
}  // namespace perennial
