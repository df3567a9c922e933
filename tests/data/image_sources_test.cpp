#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "perennial/base/threads.h"
#include "perennial/data/hold_out.h"
#include "perennial/data/image_csv.h"
#include "perennial/data/image_list.h"
#include "source_fixtures.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using namespace perennial::testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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

/// Contents of a part: a sample's pixels and its class.
std::set<std::string> contents(const Dataset& set) {
  std::set<std::string> all;
  for (int64_t row = 0; row < set.size(); ++row) {
    const at::Tensor one = set.inputs.select(0, row).contiguous();
    all.insert(std::string(reinterpret_cast<const char*>(one.const_data_ptr<uint8_t>()), one.nbytes()));
  }
  return all;
}

TEST_F(Folder, HoldOutIsStableStatedAndReachesEveryClass) {
  for (uint64_t i = 0; i < 200; ++i) photograph("big/" + std::to_string(i) + ".png", i);
  photograph("pair/a.png", 1000), photograph("pair/b.png", 1001), photograph("single/a.png", 1002);
  const DataSource source = load(options("folder"));
  EXPECT_THAT(source.split_note, HasSubstr("20 %"));
  std::map<int64_t, int> tests;
  for (const int64_t label : source.test.labels) ++tests[label];
  EXPECT_NEAR(tests[0], 40, 20);
  EXPECT_EQ(tests[1], 1);
  EXPECT_EQ(tests[2], 0);
  EXPECT_EQ(source.train.size() + source.test.size(), 203);
  // New files leave the side of the others as it was, and so do new names and folders.
  for (uint64_t i = 200; i < 300; ++i) photograph("big/" + std::to_string(i) + ".png", i);
  fs::rename(root_ / "big", root_ / "now");
  fs::rename(root_ / "now/7.png", root_ / "now/seven.png");
  const DataSource grown = load(options("folder"));
  const auto test = contents(grown.test), train = contents(grown.train);
  for (const auto& one : contents(source.test)) EXPECT_TRUE(test.contains(one) && !train.contains(one));
  for (const auto& one : contents(source.train)) EXPECT_TRUE(train.contains(one) && !test.contains(one));
}

TEST(HeldOut, BothSidesAsSoonAsThereAreTwoContents) {
  EXPECT_THAT(held_out({}, 0.2), IsEmpty());
  EXPECT_THAT(held_out({5}, 0.2), ElementsAre(false));
  EXPECT_THAT(held_out({5, 5, 5}, 0.9), ElementsAre(false, false, false));
  EXPECT_THAT(held_out({1, 2, 3}, 0), ElementsAre(false, false, false));
  for (uint64_t seed = 0; seed < 300; ++seed)
    for (const double share : {0.01, 0.2, 0.9}) {
      const auto out = held_out({mix64(seed, 1), mix64(seed, 2), mix64(seed, 1)}, share);
      EXPECT_NE(out[0], out[1]);
      EXPECT_EQ(out[0], out[2]) << "equal contents on two sides";
    }
}

TEST(HeldOut, OnlyALoneOneChangesSides) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::vector<uint64_t> contents;
    std::vector<bool> before;
    for (uint64_t i = 0; i < 40; ++i) {
      contents.push_back(mix64(seed, i));
      const auto now = held_out(contents, 0.2);
      const auto tests = std::count(before.begin(), before.end(), true);
      int64_t moved = 0;
      for (size_t k = 0; k < before.size(); ++k) moved += before[k] != now[k] ? 1 : 0;
      EXPECT_LE(moved, tests == 1 || std::ssize(before) - tests == 1 ? 1 : 0) << seed << " at " << i;
      before = now;
    }
  }
}

TEST_F(Folder, IdsAreOfContentAndPath) {
  const auto ids = [this](const std::string& folder) {
    DataOptions given;
    given.source = "folder:" + (root_ / folder).string();
    given.test_share = 0;
    return load(given).train.ids;
  };
  photograph("one/a/1.png", 1), photograph("one/a/2.png", 2), photograph("one/a/copy_of_2.png", 2);
  photograph("two/a/1.png", 3), photograph("two/a/2.png", 2);
  const auto one = ids("one"), two = ids("two");
  EXPECT_THAT(std::set<int64_t>(one.begin(), one.end()), SizeIs(3));
  EXPECT_NE(one[0], two[0]) << "other content under the same name";
  EXPECT_EQ(one[1], two[1]) << "the same picture sent again";
}

TEST_F(Folder, PartsOfTheSetInAnyCase) {
  photograph("a/Train/x/1.png", 1), photograph("a/Val/x/2.png", 2);
  photograph("b/TRAINING/x/1.png", 1), photograph("b/Testing/x/2.png", 2), photograph("b/valid/x/3.png", 3);
  photograph("b/notes/4.png", 4), photograph("b/TRAINING/loose.png", 5);
  const auto of = [this](const std::string& folder) {
    DataOptions given;
    given.source = "folder:" + (root_ / folder).string();
    return given;
  };
  const DataSource a = load(of("a")), b = load(of("b"));
  EXPECT_THAT(a.train.class_names, ElementsAre("x"));
  EXPECT_THAT(a.test.paths, ElementsAre("Val/x/2.png"));
  EXPECT_THAT(a.split_note, HasSubstr("Val/"));
  EXPECT_THAT(b.test.paths, ElementsAre("Testing/x/2.png"));
  EXPECT_EQ(
      b.left_out,
      "1 images (in no class's folder); valid/ (Testing/ is tested on); notes/ (beside TRAINING/) left out");
  photograph("c/Val/x/1.png", 1);
  EXPECT_THAT(load_error(of("c")), HasSubstr("Val/ without train/"));
  photograph("d/train/x/1.png", 1), photograph("d/Train/x/2.png", 2);
  EXPECT_THAT(load_error(of("d")), HasSubstr("Train/ and train/"));
  photograph("e/x/train/1.png", 1), photograph("e/x/test/2.png", 2);
  EXPECT_THAT(load_error(of("e")), HasSubstr("class 'x' with a folder test/"));
  photograph("f/train/1.png", 1), photograph("f/bus/1.png", 2);
  EXPECT_THAT(load_error(of("f")), HasSubstr("no folder in train/, 1 images"));
}

TEST_F(Folder, WhatIsLeftOutIsCountedAndTold) {
  struct Notes : Progress {
    void note(const std::string& line) override { lines += line + "\n"; }
    std::string lines;
  } notes;
  photograph("a/1.png", 1), photograph("b/1.png", 2);
  write("a/1.heic", "x"), write("b/deep/2.HEIC", "x"), write("b/read.me", "x"), write("@eaDir/x/1.jpg", "x");
  const DataSource source = load_data(options("folder"), notes);
  EXPECT_EQ(source.left_out, "2 .heic, 1 .me left out");
  EXPECT_THAT(notes.lines, HasSubstr("2 .heic, 1 .me left out"));
  EXPECT_THAT(source.train.class_names, ElementsAre("a", "b"));
  write("c/only.heic", "x");
  EXPECT_THAT(load_error(options("folder")), HasSubstr("class 'c' without an image (1 .heic left out)"));
}

TEST_F(Folder, AClassMayBeALinkAndACycleEnds) {
  photograph("elsewhere/1.png", 1);
  photograph("set/a/1.png", 2);
  fs::create_symlink("../elsewhere", root_ / "set/b");
  fs::create_symlink("..", root_ / "set/a/up");
  DataOptions given;
  given.source = "folder:" + (root_ / "set").string();
  given.test_share = 0;
  const DataSource source = load(given);
  EXPECT_THAT(source.train.class_names, ElementsAre("a", "b"));
  EXPECT_THAT(source.train.paths, Contains("b/1.png"));
}

TEST_F(Folder, IdsNameTheFileWhateverElseIsThere) {
  uint64_t number = 0;
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png", "b/2.png", "b/3.png"}) photograph(name, number++);
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
  EXPECT_THAT(load_error(given), AllOf(HasSubstr("07.png"), HasSubstr("data.skip_bad"), HasSubstr("1 more: "),
                                       HasSubstr("13.jpg")));
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

/// Every sample of a part, through the source's own door.
at::Tensor pixels_of(const Dataset& set) {
  std::vector<int64_t> rows(static_cast<size_t>(set.size()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return set.get(rows).tensor(column::kImage);
}

TEST_F(Folder, OnDemandGivesTheSameImages) {
  for (uint64_t i = 0; i < 40; ++i)
    photograph((i % 4 == 0   ? "test/a/"
                : i % 3 == 0 ? "train/b/"
                             : "train/a/") +
                   std::to_string(i) + ".png",
               i);
  DataOptions given = options("folder");
  given.size = 16;
  given.limit = 5;
  given.validate = 0.5;
  const DataSource whole = load(given);
  given.decode = "demand";
  const DataSource demand = load(given);
  EXPECT_FALSE(demand.train.inputs.defined());
  EXPECT_EQ(demand.train.input_bytes(), 0);
  EXPECT_EQ(demand.train.input_shape(), whole.train.input_shape());
  given.validate = 0;  // which is drawn by id
  const DataSource demanded = load(given);
  given.decode = "whole";
  const DataSource all = load(given);
  for (const auto& [a, b] : {std::pair(&all.train, &demanded.train), std::pair(&all.test, &demanded.test)}) {
    EXPECT_EQ(a->paths, b->paths);
    EXPECT_EQ(a->labels, b->labels);
    EXPECT_TRUE(pixels_of(*a).equal(pixels_of(*b)));
  }
  const std::vector<int64_t> rows{3, 1, 3, 0};  // expected or not, again and again
  demanded.train.expect(rows);
  EXPECT_TRUE(demanded.train.get(rows) == demanded.train.get(rows));
  EXPECT_TRUE(
      demanded.train.get(rows).tensor(column::kImage).equal(all.train.get(rows).tensor(column::kImage)));
  EXPECT_THROW(demanded.train.get(std::vector<int64_t>{99}), std::invalid_argument);
}

TEST_F(Folder, OnDemandFollowsTheChannelsOfARunAndNamesBadFiles) {
  photograph("a/1.png", 1), photograph("a/2.png", 2);
  write("b/bad.png", "no picture");
  DataOptions given = options("folder");
  given.decode = "demand";
  given.test_share = 0;
  DataSource source = load(given);
  set_channels(source.train, 1);
  EXPECT_EQ(source.train.get(std::vector<int64_t>{1}).tensor(column::kImage).size(1), 1);
  const std::vector<int64_t> bad{2};
  source.train.expect(bad);
  try {
    source.train.get(bad);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("b/bad.png"));
  }
  given.skip_bad = true;
  EXPECT_THROW(load(given), std::invalid_argument);
}

// Where whole images would take more than their share of memory they are decoded on demand.
TEST_F(Folder, ManyImagesAreDecodedOnDemand) {
  photograph("a/1.png", 1), photograph("a/2.png", 2);
  DataOptions given = options("folder");
  EXPECT_FALSE(load(given).train.files);
  given.memory_share = 1e-12;
  EXPECT_TRUE(load(given).train.files);
  given.decode = "whole";
  EXPECT_FALSE(load(given).train.files);
}

TEST_F(Folder, APoolIsEveryImageWithoutLabels) {
  for (uint64_t i = 0; i < 30; ++i) photograph("some/" + std::to_string(i) + ".png", i);
  photograph("other.png", 31);
  const Dataset pool = open_pool(root_, options("folder"));
  EXPECT_EQ(pool.size(), 31);
  EXPECT_EQ(std::set<int64_t>(pool.ids.begin(), pool.ids.end()).size(), 31U);
  EXPECT_FALSE(pool.get(std::vector<int64_t>{0}).has(column::kLabel));
  EXPECT_EQ(pixels_of(pool).sizes(), at::IntArrayRef({31, 3, 224, 224}));
  EXPECT_EQ(open_pool(root_, options("folder")).hash(1), pool.hash(1));
  fs::remove(root_ / "other.png");
  EXPECT_NE(open_pool(root_, options("folder")).hash(1), pool.hash(1));
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
    photograph(std::to_string(i) + ".png", static_cast<uint64_t>(i));
    text += std::to_string(i) + ".png,a\n";
  }
  const DataSource source = load(list(text));
  EXPECT_GT(source.test.size(), 0);
  EXPECT_EQ(source.train.size() + source.test.size(), 40);
  EXPECT_THAT(source.split_note, HasSubstr("hold-out"));
}

TEST_F(Csv, AValidationPartIsTestedOnOrLeftOut) {
  for (uint64_t i = 1; i <= 3; ++i) photograph(std::to_string(i) + ".png", i);
  const DataSource validation = load(list("image;Species;Set\n1.png;a;Training\n2.png;a;VALID\n"));
  EXPECT_THAT(validation.test.paths, ElementsAre("2.png"));
  EXPECT_EQ(validation.split_note, "the list's own validation part");
  const DataSource both = load(list("img\tclass\tsubset\n1.png\ta\ttrain\n2.png\ta\tval\n3.png\ta\ttest\n"));
  EXPECT_THAT(both.test.paths, ElementsAre("3.png"));
  EXPECT_THAT(both.train.paths, ElementsAre("1.png"));
  EXPECT_EQ(both.left_out, "1 lines of the validation part left out, as there is a test part");
}

TEST_F(Csv, PathsOfWindows) {
  photograph("x/1.png", 1);
  EXPECT_THAT(load(list("path,label\nx\\1.png,a\n")).train.labels, ElementsAre(0));
}

TEST_F(Csv, ErrorsNameTheLine) {
  EXPECT_THAT(load_error(list("a.png,x\n\nb.png\n")), HasSubstr("line 3"));
  EXPECT_THAT(load_error(list("a.png,x,train\nb.png,y,fold2\n")), HasSubstr("'fold2' in line 2"));
  EXPECT_THAT(load_error(list("a.png,\"x\n\n")), HasSubstr("closing quote"));
  EXPECT_THAT(load_error(list("a.png,x\n./a.png,y\n")), HasSubstr("lines 1 and 2"));
  EXPECT_THAT(load_error(list("")), HasSubstr("no line"));
  EXPECT_THAT(load_error(list("path,label\n")), HasSubstr("no line"));
  EXPECT_THAT(load_error(list("missing.png,x\n")), HasSubstr("missing.png"));
}

std::string csv_error(const std::string& text) {
  try {
    parse_image_csv(text, "f");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(ParseImageCsv, ColumnsAreFoundByAnyUsualName) {
  const std::vector<std::string> lists{"image,label\na/1.png,cat\n",
                                       "\xEF\xBB\xBF\"Image Path\",Class\na/1.png,cat\n",
                                       "label,file_name\ncat,a/1.png\n",
                                       "id;width;FileName;height;Category\n7;10;a/1.png;20;cat\n",
                                       "filepaths,labels,data set\na/1.png,cat,train\n",
                                       "class id\tfilepaths\tlabels\tdata set\n3\ta/1.png\tcat\ttrain\n",
                                       "img|target\na/1.png|cat\n",
                                       "url,species,fold\r\na/1.png,cat,train\r\n",
                                       "Photo,Target\ra/1.png,cat\r",
                                       "image_id,image_path,class_id,class\n1,a/1.png,3,cat\n",
                                       "a/1.png,cat\n",
                                       "a/1.png;cat\n",
                                       "cat,a/1.png\n",
                                       "a/1.png,cat,train\n"};
  for (const auto& text : lists) {
    SCOPED_TRACE(text);
    const auto rows = parse_image_csv(text, "f");
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].path, "a/1.png");
    EXPECT_EQ(rows[0].label, "cat");
  }
}

TEST(ParseImageCsv, WhatCannotBeToldIsRefused) {
  EXPECT_THAT(csv_error("id,breed\n1.png,pug\n2.png,pug\n"), HasSubstr("the heading 'id,breed' in line 1"));
  EXPECT_THAT(csv_error("image,MEL,NV\n1.png,0,1\n2.png,1,0\n"), HasSubstr("the heading 'image,MEL,NV'"));
  EXPECT_THAT(csv_error("path,path,label\na.png,b.png,c\n"), HasSubstr("one column 'path'"));
  EXPECT_THAT(csv_error("1.png,a,b,c\n2.png,a,b,c\n"), HasSubstr("4 fields in line 1"));
  EXPECT_THAT(csv_error("image,label,fold\n1.png,a,3\n"), HasSubstr("'3' in line 2"));
  EXPECT_THAT(csv_error(std::string("\xFF\xFEp\0a\0", 6)), HasSubstr("UTF-16"));
  EXPECT_THAT(csv_error("justonecolumn\nx\n"), HasSubstr("1 fields"));
}

TEST(ParseImageCsv, QuotesMayHoldLinesAndCommas) {
  const auto rows = parse_image_csv("\xEF\xBB\xBF\"a\nb,c\" , l1\nd,l2,test\n", "f");
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].path, "a\nb,c");
  EXPECT_EQ(rows[0].label, "l1");
  EXPECT_EQ(rows[1].line, 3);
  EXPECT_EQ(rows[1].part, SplitName::kTest);
}

}  // namespace
}  // namespace perennial
