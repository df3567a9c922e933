#include <map>
#include <mutex>
#include <set>

#include "perennial/base/threads.h"
#include "perennial/data/csv_rows.h"
#include "perennial/data/image_list.h"
#include "source_fixtures.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using namespace perennial::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Folder = SourceTest;

TEST_F(Folder, TrainAndTest) {
  picture("train/cat/b.png", 10);
  picture("train/cat/deep/er/a.png", 20);
  picture("train/ant/c.png", 30);
  picture("test/cat/d.png", 40);
  write("train/cat/notes.txt", "no picture");
  write("train/cat/.hidden.png", "no picture");
  const DataSource source = load(options("folder"));
  EXPECT_EQ(source.train.name, root_.filename().string());
  EXPECT_THAT(source.train.class_names, ElementsAre("ant", "cat"));
  EXPECT_THAT(source.train.paths,
              ElementsAre("train/ant/c.png", "train/cat/b.png", "train/cat/deep/er/a.png"));
  EXPECT_THAT(source.train.labels, ElementsAre(0, 1, 1));
  EXPECT_EQ(first_pixel(source.train, 0), 30);
  EXPECT_EQ(first_pixel(source.train, 2), 20);
  EXPECT_THAT(source.test.paths, ElementsAre("test/cat/d.png"));
  EXPECT_EQ(first_pixel(source.test, 0), 40);
  EXPECT_EQ(source.train.inputs.sizes(), at::IntArrayRef({3, 3, 8, 8}));
}

TEST_F(Folder, HoldOutIsStableStatedAndReachesEveryClass) {
  for (int i = 0; i < 200; ++i) picture("big/" + std::to_string(i) + ".png", 1);
  for (const char* name : {"pair/a.png", "pair/b.png", "single/a.png"}) picture(name, 2);
  const DataSource source = load(options("folder"));
  EXPECT_THAT(source.split_note, HasSubstr("20 %"));
  std::map<int64_t, int> tests;
  for (const int64_t label : source.test.labels) ++tests[label];
  EXPECT_NEAR(tests[0], 40, 20);
  EXPECT_EQ(tests[1], 1);
  EXPECT_EQ(tests[2], 0);
  EXPECT_EQ(source.train.size() + source.test.size(), 203);
  // New files leave the side of the others as it was.
  const std::set<std::string> before(source.test.paths.begin(), source.test.paths.end());
  for (int i = 200; i < 300; ++i) picture("big/" + std::to_string(i) + ".png", 1);
  const DataSource grown = load(options("folder"));
  const std::set<std::string> after(grown.test.paths.begin(), grown.test.paths.end());
  for (const auto& path : before) EXPECT_TRUE(after.contains(path)) << path;
  for (const auto& path : source.train.paths) EXPECT_FALSE(after.contains(path)) << path;
}

TEST_F(Folder, IdsNameTheFileWhateverElseIsThere) {
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png", "b/2.png", "b/3.png"}) picture(name, 1);
  DataOptions whole = options("folder"), part = whole;
  whole.test_share = part.test_share = 0;
  part.classes = "b";
  const DataSource all = load(whole), b = load(part);
  EXPECT_TRUE(all.test.labels.empty());
  EXPECT_EQ(b.train.ids, std::vector<int64_t>(all.train.ids.begin() + 2, all.train.ids.end()));
  EXPECT_THAT(b.train.labels, ElementsAre(0, 0, 0));
  EXPECT_THAT(std::set<int64_t>(all.train.ids.begin(), all.train.ids.end()), SizeIs(5));
  for (const int64_t id : all.train.ids) EXPECT_GE(id, 0);
  part.limit = 2;
  EXPECT_THAT(load(part).train.paths, ElementsAre("b/1.png", "b/2.png"));
}

TEST_F(Folder, SizeIsAsStoredWhenSmallAndEqual) {
  picture("a/1.png", 1, 40, 40);
  picture("b/1.png", 1, 40, 40);
  EXPECT_EQ(load(options("folder")).train.inputs.size(3), 40);
  DataOptions given = options("folder");
  given.size = 12;
  EXPECT_EQ(load(given).train.inputs.size(2), 12);
  picture("b/1.png", 1, 40, 41);
  EXPECT_EQ(load(options("folder")).train.inputs.size(3), 224);
  picture("b/1.png", 1, 97, 97);
  fs::remove_all(root_ / "a");
  EXPECT_EQ(load(options("folder")).train.inputs.size(3), 224);
}

TEST_F(Folder, LayoutErrorsSayWhatIsExpected) {
  EXPECT_THAT(load_error(options("folder")),
              AllOf(HasSubstr("train/<class>/"), HasSubstr("no folder in it")));
  picture("loose.png", 1);
  EXPECT_THAT(load_error(options("folder")), HasSubstr("<class>/"));
  make_folder(root_ / "train" / "empty");
  EXPECT_THAT(load_error(options("folder")), HasSubstr("class 'empty' without an image"));
  picture("train/empty/a.png", 1);
  picture("test/other/a.png", 1);
  EXPECT_THAT(load_error(options("folder")), HasSubstr("test/other/ without train/other/"));
  fs::remove_all(root_);
  EXPECT_THAT(load_error(options("folder")), HasSubstr("no such folder"));
}

TEST_F(Folder, BadFilesStopOrAreListed) {
  for (int i = 0; i < 20; ++i) picture("a/" + std::to_string(i) + ".png", static_cast<uint8_t>(i));
  write("a/07.png", "no picture");
  write("a/13.jpg", "\xFF\xD8\xFF\xE0 cut");
  DataOptions given = options("folder");
  given.test_share = 0;
  EXPECT_THAT(load_error(given), AllOf(HasSubstr(".png"), HasSubstr("data.skip_bad")));
  given.skip_bad = true;
  const DataSource source = load(given);
  EXPECT_THAT(source.skipped, ElementsAre(HasSubstr("07.png"), HasSubstr("13.jpg")));
  ASSERT_EQ(source.train.size(), 20);
  for (int64_t row = 0; row < 20; ++row) {
    const std::string& path = source.train.paths[static_cast<size_t>(row)];
    EXPECT_EQ("a/" + std::to_string(first_pixel(source.train, row)) + ".png", path);
  }
  write("b/only.png", "no picture");
  EXPECT_THAT(load_error(given), HasSubstr("class 'b'"));
}

/// Counts what is reported; stops after `patience` files.
class Counter : public Progress {
 public:
  explicit Counter(int64_t patience = 1 << 30) : patience_(patience) {}
  void begin(const std::string&, int64_t total, int64_t) override { total_ = total; }
  void advance(int64_t units) override { done_ += units; }
  bool stop_requested() const override { return done_ >= patience_; }
  int64_t total_ = 0, done_ = 0, patience_;
};

TEST_F(Folder, ThreadsChangeNothingAndProgressCountsFiles) {
  for (int i = 0; i < 60; ++i)
    picture("a/" + std::to_string(i) + ".png", static_cast<uint8_t>(i), 30 + i, 40);
  Counter one_thread, three_threads, impatient(10);
  const DataSource a = load_data(options("folder"), one_thread);
  set_thread_count(3);
  const DataSource b = load_data(options("folder"), three_threads);
  EXPECT_THROW(load_data(options("folder"), impatient), Interrupted);
  set_thread_count(1);
  EXPECT_TRUE(a.train.inputs.equal(b.train.inputs));
  EXPECT_EQ(a.train.ids, b.train.ids);
  EXPECT_EQ(one_thread.total_, 60);
  EXPECT_EQ(one_thread.done_, 60);
  EXPECT_EQ(three_threads.done_, 60);
  EXPECT_LT(impatient.done_, 20);
}

class Csv : public SourceTest {
 protected:
  DataOptions list(const std::string& text) const {
    write("list.csv", text);
    DataOptions out;
    out.source = "csv:" + (root_ / "list.csv").string();
    return out;
  }
};

TEST_F(Csv, PathsAreRelativeToTheListAndTheThirdColumnDivides) {
  picture("x/1.png", 11);
  picture("x, y/2.png", 22);
  picture("3.png", 33);
  const DataSource source =
      load(list("path,label,part\r\nx/1.png,zebra,train\r\n\r\n\"x, y/2.png\",\"an "
                "\"\"ape\"\"\"\r\n./3.png,zebra,test"));
  EXPECT_THAT(source.train.class_names, ElementsAre("an \"ape\"", "zebra"));
  EXPECT_THAT(source.train.labels, ElementsAre(1, 0));
  EXPECT_THAT(source.train.paths, ElementsAre("x/1.png", "x, y/2.png"));
  EXPECT_EQ(first_pixel(source.train, 1), 22);
  EXPECT_THAT(source.test.paths, ElementsAre("3.png"));
  EXPECT_EQ(first_pixel(source.test, 0), 33);
}

TEST_F(Csv, WithoutAThirdColumnSomeAreHeldOut) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    picture(std::to_string(i) + ".png", 1);
    text += std::to_string(i) + ".png,a\n";
  }
  const DataSource source = load(list(text));
  EXPECT_GT(source.test.size(), 0);
  EXPECT_EQ(source.train.size() + source.test.size(), 40);
  EXPECT_THAT(source.split_note, HasSubstr("hold-out"));
}

TEST_F(Csv, ErrorsNameTheLine) {
  EXPECT_THAT(load_error(list("a.png,x\n\nb.png\n")), HasSubstr("line 3"));
  EXPECT_THAT(load_error(list("a.png,x\nb.png,y,valid\n")), HasSubstr("'valid' in line 2"));
  EXPECT_THAT(load_error(list("a.png,\"x\n\n")), HasSubstr("closing quote"));
  EXPECT_THAT(load_error(list("a.png,x\n./a.png,y\n")), HasSubstr("lines 1 and 2"));
  EXPECT_THAT(load_error(list("")), HasSubstr("no line"));
  EXPECT_THAT(load_error(list("missing.png,x\n")), HasSubstr("missing.png"));
}

TEST(ParseImageCsv, QuotesMayHoldLinesAndCommas) {
  const auto rows = parse_image_csv("\xEF\xBB\xBF\"a\nb,c\" , l1\nd,l2,test\n", "f");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].path, "a\nb,c");
  EXPECT_EQ(rows[0].label, "l1");
  EXPECT_EQ(rows[1].line, 3);
  EXPECT_EQ(rows[1].part, CsvRow::Part::kTest);
}

}  // namespace
}  // namespace perennial
