#include "perennial/tasks/segment/portrait_data.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/data/source_fixtures.h"

namespace perennial::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Faces, LinesOfAnyDetectorAreBoxesByFileName) {
  const Faces faces = parse_faces(
      "photograph,left,top,width,height,score\n./a.jpg,10.4,-2,30.6,40,0.9\n\na.jpg,1,2,3,4\n\"b,c.png\","
      "5,6,7,8\n",
      "faces.csv");
  ASSERT_EQ(faces.size(), 2U);
  EXPECT_THAT(faces.at("a.jpg"), ElementsAre(Box{10, -2, 31, 40}, Box{1, 2, 3, 4}));
  EXPECT_THAT(faces.at("b,c.png"), ElementsAre(Box{5, 6, 7, 8}));
}

TEST(Faces, AMistakeIsNamedByItsLine) {
  const auto complaint = [](const std::string& line) -> std::string {
    try {
      parse_faces("a.jpg,1,2,3,4\n" + line, "faces.csv");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const char* line :
       {"a.jpg,1,2,3", ",1,2,3,4", "a.jpg,1,2,0,4", "a.jpg,1,2,3,-4", "a.jpg,x,2,3,4", "a.jpg,nan,2,3,4",
        "a.jpg,1,1e300,3,4", "a.jpg,1,2,inf,4", "\"a.jpg,1,2,3,4", "far/a.jpg,1,2,3,4", "far/,1,2,3,4"})
    EXPECT_THAT(complaint(line), ::testing::AllOf(HasSubstr("faces.csv"), HasSubstr("line 2"))) << line;
}

RC_GTEST_PROP(Faces, AnyTextIsBoxesOrAnError, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
      rc::gen::elementOf(std::vector<std::string>{",", "\n", "\"", "a.jpg", "1", "-2.5", "nan", "1e9"}),
      rc::gen::arbitrary<std::string>()));
  std::string text;
  for (const auto& piece : pieces) text += piece;
  try {
    for (const auto& [name, boxes] : parse_faces(text, "faces.csv"))
      for (const Box& box : boxes) RC_ASSERT(box.width >= 1 && box.height >= 1);
  } catch (const Error&) {
  }
}

TEST(Faces, PortraitsAreThreeFacesWideAndFourHigh) {
  EXPECT_EQ(head_and_shoulders({100, 100, 30, 40}, 3, 1000, 1000), (Box{70, 72, 90, 120}));
  EXPECT_EQ(head_and_shoulders({0, 0, 30, 40}, 3, 50, 60), (Box{0, 0, 50, 60})) << "cut off at the edges";
  EXPECT_EQ(head_and_shoulders({60, 0, 30, 30}, 3, 50, 60), std::nullopt) << "beside the photograph";
}

RC_GTEST_PROP(Faces, PortraitsLieInThePhotograph, ()) {
  const auto size = *rc::gen::pair(rc::gen::inRange<int64_t>(1, 100), rc::gen::inRange<int64_t>(1, 100));
  const Box face{*rc::gen::inRange<int64_t>(-50, 150), *rc::gen::inRange<int64_t>(-50, 150),
                 *rc::gen::inRange<int64_t>(1, 100), *rc::gen::inRange<int64_t>(1, 100)};
  const auto box = head_and_shoulders(face, *rc::gen::inRange(1, 5), size.first, size.second);
  if (!box) return;
  RC_ASSERT(box->left >= 0 && box->top >= 0 && box->width > 0 && box->height > 0);
  RC_ASSERT(box->left + box->width <= size.first && box->top + box->height <= size.second);
}

class PortraitData : public SourceTest {
 protected:
  /// Planes of 40 x 40 whose value is the column; the mask labels columns from 20 as 7 and those from 30 as
  /// 200.
  void body(const std::string& stem) const {
    Image image{3, 40, 40, std::vector<uint8_t>(4800)}, mask{1, 40, 40, std::vector<uint8_t>(1600)};
    for (size_t i = 0; i < 4800; ++i) image.pixels[i] = static_cast<uint8_t>(i % 40);
    for (size_t i = 0; i < 1600; ++i)
      mask.pixels[i] = static_cast<uint8_t>(i % 40 < 20 ? 0 : i % 40 < 30 ? 7 : 200);
    write("in/" + stem + ".png", encode_png(image));
    write("parts/" + stem + ".png", encode_png(mask));
  }
  std::vector<Portrait> make(const MaskSource& source, const std::vector<std::string>& stems) const {
    std::vector<std::filesystem::path> photographs;
    for (const auto& stem : stems) photographs.push_back(root_ / "in" / (stem + ".png"));
    Progress silent;
    return make_portraits(source, photographs, root_ / "out", options_, silent);
  }
  Image made(const std::string& path) const { return read_image(root_ / "out" / path); }

  PortraitOptions options_;
};

TEST_F(PortraitData, LabelledBodiesBecomePortraitsAroundFaces) {
  body("a"), body("b"), body("c");
  options_.least_face = 4;
  options_.faces =
      parse_faces("a.png,18,18,4,4\na.png,30,18,3,3\na.png,90,9,9,9\nb.png,16,8,8,8\n", "faces.csv");
  const auto verdicts = [&] {
    std::string all;
    for (const Portrait& p : make(labelled_masks(root_ / "parts"), {"a", "b", "c"}))
      all += fmt::format("{} {} {}; ", p.photograph.stem().string(), p.face, name_of(p.verdict));
    return all;
  };
  EXPECT_EQ(verdicts(), "a 1 kept; a 2 small face; a 3 face outside; b 1 kept; c 0 no face; ");
  const Image portrait = made("images/a-1.png"), mask = made("masks/a-1.png");
  EXPECT_EQ(portrait.width, 12);
  EXPECT_EQ(portrait.height, 16);
  EXPECT_EQ(portrait.pixels[0], 14) << "columns of the photograph from 14 on";
  EXPECT_EQ(mask.width, 12);
  EXPECT_EQ(mask.pixels[5], 0);
  EXPECT_EQ(mask.pixels[6], 255) << "parts are united";
  EXPECT_EQ(mask.pixels[11], 255);
  EXPECT_FALSE(std::filesystem::exists(root_ / "out" / "images" / "a-2.png"));
  EXPECT_EQ(verdicts(), "a 1 kept before; a 2 small face; a 3 face outside; b 1 kept before; c 0 no face; ");
}

TEST_F(PortraitData, WithoutFacesPhotographsStayWhole) {
  body("a");
  const auto all = make(labelled_masks(root_ / "parts"), {"a"});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].face, 0);
  EXPECT_DOUBLE_EQ(all[0].area, 0.5);
  EXPECT_EQ(read_file(root_ / "out" / "images" / "a.png"), read_file(root_ / "in" / "a.png"));
  EXPECT_EQ(made("masks/a.png").pixels[20], 255);
}

TEST_F(PortraitData, WhatIsDoubtfulIsLeftOut) {
  for (const char* stem : {"agreed", "doubtful", "empty", "full"}) body(stem);
  const auto source = [](const std::filesystem::path& file, const Image&, const Box& box) {
    PortraitMask mask{std::vector<uint8_t>(static_cast<size_t>(box.width * box.height)), 0.95};
    const std::string stem = file.stem().string();
    std::fill_n(mask.mask.begin(), stem == "empty" ? 0 : stem == "full" ? 1600 : 800, uint8_t{255});
    if (stem == "doubtful") mask.agreement = 0.85;
    return mask;
  };
  std::vector<Verdict> verdicts;
  for (const Portrait& p : make(source, {"agreed", "doubtful", "empty", "full"}))
    verdicts.push_back(p.verdict);
  EXPECT_THAT(verdicts, ElementsAre(Verdict::kKept, Verdict::kDoubtful, Verdict::kArea, Verdict::kArea));
  options_.around = NAN;
  EXPECT_THROW(make(source, {"agreed"}), std::invalid_argument);
}

TEST_F(PortraitData, AMaskIsOfThePhotographsSizeAndOfPlainLabels) {
  body("a");
  const auto complaint = [this] {
    const Portrait p = make(labelled_masks(root_ / "parts"), {"a"}).at(0);
    EXPECT_EQ(p.verdict, Verdict::kUnreadable);
    return p.reason;
  };
  write("parts/a.png", encode_png({1, 40, 39, std::vector<uint8_t>(1560)}));
  EXPECT_THAT(complaint(), ::testing::AllOf(HasSubstr("a.png"), HasSubstr("40 x 40"), HasSubstr("39 x 40")));
  std::string head = encode_png({1, 40, 40, std::vector<uint8_t>(1600)});
  head[24] = 16;
  write("parts/a.png", head);
  EXPECT_THAT(complaint(), HasSubstr("16 bits"));
  head[24] = 8, head[25] = 6;
  write("parts/a.png", head);
  EXPECT_THAT(complaint(), HasSubstr("alpha"));
  write("parts/a.png", "GIF89a\1\1\1\1\1\1\1");
  EXPECT_THAT(complaint(), HasSubstr("found GIF"));
  // It stops no other.
  body("b");
  const auto both = make(labelled_masks(root_ / "parts"), {"a", "b"});
  EXPECT_EQ(both[0].verdict, Verdict::kUnreadable);
  EXPECT_EQ(both[1].verdict, Verdict::kKept);
}

// A label of little luma.
TEST_F(PortraitData, AnyColourIsAPerson) {
  body("a");
  Image labels{3, 40, 40, std::vector<uint8_t>(4800)};
  std::fill(labels.pixels.begin() + 3200, labels.pixels.begin() + 4000, uint8_t{1});
  write("parts/a.png", encode_png(labels));
  EXPECT_DOUBLE_EQ(make(labelled_masks(root_ / "parts"), {"a"}).at(0).area, 0.5);
}

}  // namespace
}  // namespace perennial::testing
