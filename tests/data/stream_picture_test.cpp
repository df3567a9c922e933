#include "perennial/data/stream_picture.h"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/data/describe.h"
#include "perennial/data/stream_composition.h"
#include "tests/data/fixture.h"

namespace perennial {
namespace {

using ::testing::HasSubstr;
using testing::toy_set;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int64_t columns_of(const std::string& line) {
  return std::count_if(line.begin(), line.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::vector<Task> tasks_of(const std::string& kind, int64_t tasks, const Dataset& set) {
  StreamOptions options;
  options.kind = kind, options.tasks = tasks;
  return make_tasks(options, 1, set);
}

TEST(StreamComposition, CountsEverySampleOnce) {
  const Dataset set = toy_set(10, 50);
  for (const int64_t slices : {1, 3, 5, 40, 1000}) {
    const auto picture = compose(set, tasks_of("blurry30", 5, set), slices, 40);
    int64_t in_rows = 0, in_slices = 0;
    for (const auto& row : picture.rows)
      for (const int64_t count : row.counts) in_rows += count;
    for (const auto& slice : picture.slices) in_slices += slice.size;
    EXPECT_EQ(in_rows, 500);
    EXPECT_EQ(in_slices, 500);
    EXPECT_LE(static_cast<int64_t>(picture.slices.size()), std::max<int64_t>(slices, 1));
  }
}

TEST(DrawStream, ShowsADisjointStreamAsAStaircase) {
  const Dataset set = toy_set(2, 50);
  const auto lines = lines_of(draw_stream(set, {{{0, 2, 4, 6}, {0}}, {{1, 3, 5, 7}, {1}}}, 40));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_THAT(lines[0], HasSubstr("8 samples, 2 classes, 2 tasks"));
  EXPECT_THAT(lines[2], HasSubstr("class a █"));
  EXPECT_THAT(lines[2], HasSubstr("│ "));
  EXPECT_THAT(lines[3], HasSubstr("│█"));
}

TEST(DrawStream, FitsTheWidthAndGroupsManyClasses) {
  for (const int width : {40, 80, 200})
    for (const int64_t tasks : {1, 5, 30, 100}) {
      const Dataset set = toy_set(120, 4);
      const auto lines = lines_of(draw_stream(set, tasks_of("blurry30", tasks, set), width));
      for (const auto& line : lines)
        EXPECT_LE(columns_of(line), std::max(width, 58)) << width << " " << tasks << "\n" << line;
      EXPECT_LE(lines.size(), 4U + 40U);
    }
}

TEST(DrawStream, TellsWrongLabels) {
  Dataset set = toy_set(2, 50);
  StreamOptions options;
  options.kind = "disjoint", options.tasks = 1, options.noise = "sym:1";
  apply_noise(options, 1, set);
  EXPECT_THAT(draw_stream(set, make_tasks(options, 1, set), 80), HasSubstr("100.0%"));
}

TEST(StreamSvg, IsOneDocumentWithEscapedNames) {
  Dataset set = toy_set(3, 20);
  set.class_names[0] = "<b>&\"";
  const std::string svg = stream_svg(set, tasks_of("blurry30", 3, set));
  EXPECT_TRUE(svg.starts_with("<svg xmlns"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;&amp;&quot;"));
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  size_t bands = 0;
  for (size_t at = svg.find("<path fill"); at != std::string::npos; at = svg.find("<path fill", at + 1))
    ++bands;
  EXPECT_EQ(bands, 3U);
}

TEST(Describe, ShowsCountsAndWrongLabels) {
  DataSource source;
  source.train = toy_set({5, 7}), source.test = toy_set({2, 3});
  source.train.true_labels = source.train.labels;
  source.train.labels[0] = 1;
  source.split_note = "as published";
  source.skipped = {"bad.jpg: truncated"};
  const std::string text = describe(source);
  for (const char* part : {"2x2 grey", "1 labels wrong (8.3 %)", "as published", "bad.jpg"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_EQ(class_counts(source.train), (std::vector<int64_t>{4, 8}));
}

}  // namespace
}  // namespace perennial
