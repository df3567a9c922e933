#include "perennial/tasks/segment/matte_data.h"

#include <numeric>

#include "perennial/base/threads.h"
#include "tests/data/source_fixtures.h"

namespace perennial::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MatteData : public SourceTest {
 protected:
  std::vector<Matte> load(int64_t threshold = 127) const {
    Progress silent;
    return load_mattes(root_, {threshold}, silent);
  }

  std::string failure() const {
    try {
      load();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  /// A grey PNG of 8 x 8: columns below `columns` have the value.
  void mask(const std::string& path, int64_t columns, uint8_t value = 255, int64_t side = 8) const {
    Image image{1, side, side, std::vector<uint8_t>(static_cast<size_t>(side * side))};
    for (int64_t i = 0; i < side * side; ++i)
      if (i % side < columns) image.pixels[static_cast<size_t>(i)] = value;
    write(path, encode_png(image));
  }
};

int64_t foreground(const Matte& matte) { return std::accumulate(matte.mask.begin(), matte.mask.end(), 0); }

TEST_F(MatteData, FoldersOfImagesAndMasks) {
  picture("images/b.png", 20), picture("images/a.png", 10);
  mask("masks/a.png", 3), mask("masks/b.png", 5);
  write("masks/notes.txt", "no picture");
  const auto mattes = load();
  ASSERT_EQ(mattes.size(), 2U);
  EXPECT_EQ(mattes[0].stem, "a");
  EXPECT_EQ(mattes[0].image.pixels[0], 10);
  EXPECT_EQ(foreground(mattes[0]), 24);
  EXPECT_EQ(foreground(mattes[1]), 40);
  EXPECT_NE(mattes[0].id, mattes[1].id);
}

TEST_F(MatteData, PhotographsNeedNoMasks) {
  const auto stems = [this](const std::string& folder) {
    std::string all;
    for (const auto& path : matte_photographs(root_ / folder)) all += path.filename().string() + " ";
    return all;
  };
  picture("images/b.png", 20), picture("images/a.png", 10);
  EXPECT_EQ(stems(""), "a.png b.png ");
  picture("flat/b.jpg", 20), picture("flat/b.png", 20), picture("flat/c.png", 10);
  EXPECT_EQ(stems("flat"), "b.jpg c.png ");
  std::filesystem::create_directories(root_ / "empty");
  EXPECT_THROW(matte_photographs(root_ / "empty"), Error);
  EXPECT_THROW(matte_photographs(root_ / "nowhere"), Error);
}

TEST_F(MatteData, IdsStayWhenFilesGo) {
  picture("images/b.png", 20), picture("images/a.png", 10);
  mask("masks/a.png", 3), mask("masks/b.png", 5);
  const int64_t id = load()[1].id;
  std::filesystem::remove(root_ / "images/a.png");
  std::filesystem::remove(root_ / "masks/a.png");
  EXPECT_EQ(load()[0].id, id);
}

TEST_F(MatteData, IdsAndContentsAreThoseOfThePhotograph) {
  picture("images/a.png", 10), picture("images/b.png", 20), mask("masks/a.png", 3), mask("masks/b.png", 3);
  const auto before = load();
  picture("images/a.png", 30);
  std::filesystem::rename(root_ / "images/b.png", root_ / "images/c.png");
  std::filesystem::rename(root_ / "masks/b.png", root_ / "masks/c.png");
  const auto after = load();
  EXPECT_NE(after[0].id, before[0].id) << "another photograph under the same name";
  EXPECT_NE(after[0].content, before[0].content);
  EXPECT_EQ(after[1].content, before[1].content) << "what is held out does not go by names";
}

TEST_F(MatteData, BadOnesAreAllNamedOrSkipped) {
  for (const char* stem : {"a", "b", "c"}) {
    picture(std::string("images/") + stem + ".png", 10);
    mask(std::string("masks/") + stem + ".png", 3);
  }
  write("images/a.png", "rubbish"), write("masks/c.png", "rubbish"), write("images/x.heic", "x");
  EXPECT_THAT(failure(), AllOf(HasSubstr("images/a.png"), HasSubstr("1 more"), HasSubstr("masks/c.png")));
  struct Notes : Progress {
    void note(const std::string& line) override { lines += line + "\n"; }
    std::string lines;
  } notes;
  const auto good = load_mattes(root_, {.skip_bad = true}, notes);
  ASSERT_EQ(good.size(), 1U);
  EXPECT_EQ(good[0].stem, "b");
  EXPECT_THAT(notes.lines,
              AllOf(HasSubstr("1 .heic left out"), HasSubstr("skipped "), HasSubstr("masks/c.png")));
}

TEST_F(MatteData, MasksWithoutAnyForegroundAreRefused) {
  picture("images/b.png", 20), picture("images/a.png", 10);
  mask("masks/a.png", 3, 1), mask("masks/b.png", 5, 0);
  EXPECT_THAT(failure(), AllOf(HasSubstr("a grey above 127"), HasSubstr("1 as the greatest"),
                               HasSubstr("--mask-threshold 0")));
  EXPECT_EQ(foreground(load(0)[0]), 24);
  mask("masks/a.png", 3, 0);
  EXPECT_THAT(failure(), HasSubstr("0 as the greatest grey"));
  mask("masks/a.png", 3);
  EXPECT_EQ(failure(), "no error") << "one with a person is enough";
}

TEST_F(MatteData, ForegroundIsAboveTheThreshold) {
  picture("images/a.png", 10), picture("images/b.png", 10);
  mask("masks/a.png", 3, 200), mask("masks/b.png", 3);
  EXPECT_EQ(foreground(load()[0]), 24);
  EXPECT_EQ(foreground(load(199)[0]), 24);
  EXPECT_EQ(foreground(load(200)[0]), 0);
  EXPECT_THROW(load(255), std::invalid_argument);
}

TEST_F(MatteData, EveryThreadCountGivesTheSame) {
  for (int i = 0; i < 9; ++i) {
    picture("images/" + std::to_string(i) + ".png", static_cast<uint8_t>(i));
    mask("masks/" + std::to_string(i) + ".png", i % 8);
  }
  const int before = thread_count();
  set_thread_count(1);
  const auto one = load();
  set_thread_count(3);
  const auto three = load();
  set_thread_count(before);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].image.pixels, three[i].image.pixels);
    EXPECT_EQ(one[i].mask, three[i].mask);
  }
}

TEST_F(MatteData, MissingMaskIsNamed) {
  picture("images/a.png", 10), picture("images/lonely.png", 10);
  mask("masks/a.png", 3);
  EXPECT_THAT(failure(), AllOf(HasSubstr("images/lonely.png"), HasSubstr("a mask 'lonely.png'")));
}

TEST_F(MatteData, MaskWithoutImageIsNamed) {
  picture("images/a.png", 10);
  mask("masks/a.png", 3), mask("masks/orphan.png", 3);
  EXPECT_THAT(failure(), HasSubstr("masks/orphan.png"));
}

TEST_F(MatteData, SizeMismatchIsNamed) {
  picture("images/a.png", 10, 8, 8);
  mask("masks/a.png", 3, 255, 9);
  EXPECT_THAT(failure(), AllOf(HasSubstr("masks/a.png"), HasSubstr("8 x 8"), HasSubstr("9 x 9")));
}

TEST_F(MatteData, UnreadableFilesAreNamed) {
  picture("images/a.png", 10), picture("images/b.png", 10);
  mask("masks/a.png", 3);
  write("masks/b.png", "\x89PNG\r\n\x1a\nrubbish");
  EXPECT_THAT(failure(), HasSubstr("masks/b.png"));
  mask("masks/b.png", 3);
  write("images/b.png", "");
  EXPECT_THAT(failure(), HasSubstr("images/b.png"));
}

TEST_F(MatteData, TwoImagesOfOneStemAreNamed) {
  picture("images/a.png", 10), picture("images/a.jpg", 10);
  mask("masks/a.png", 3);
  EXPECT_THAT(failure(), AllOf(HasSubstr("images/a.png"), HasSubstr("images/a.jpg")));
}

TEST_F(MatteData, SideBySideNeedsAJpegForEachPng) {
  mask("a.png", 3);
  EXPECT_THAT(failure(), AllOf(HasSubstr("a.png"), HasSubstr("an image 'a'")));
  picture("a.jpg", 10);  // decoded by its contents
  const auto mattes = load();
  ASSERT_EQ(mattes.size(), 1U);
  EXPECT_EQ(foreground(mattes[0]), 24);
}

TEST_F(MatteData, EmptyAndMissingFoldersAreNamed) {
  EXPECT_THAT(failure(), HasSubstr("no image"));
  std::filesystem::remove_all(root_);
  EXPECT_THAT(failure(), HasSubstr("no such folder"));
}

}  // namespace
}  // namespace perennial::testing
