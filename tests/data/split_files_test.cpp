#include "perennial/data/split_files.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"
#include "tests/data/fixture.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using testing::toy_set;

std::string unescaped(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

/// What an Error says; "" when there is none.
template <class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

class Folder : public TemporaryFolder {
 public:
  void write(const std::string& name, const std::string& json) const {
    write_file_atomic(path() / name, unescaped(json));
  }
};

Dataset cats_and_dogs() {
  Dataset set = toy_set(2, 3);  // rows: cat dog cat dog cat dog
  set.class_names = {"cat", "dog"};
  return set;
}

TEST(SplitJson, ReadsTheFormsOfTheRepositories) {
  // Rainbow Memory: slashes escaped, MNIST with numbers for classes; PuriDivER: true_label,
  // verification_label; i-Blurry: filepath.
  const auto records =
      parse_split_json(unescaped(R"([{'klass':'truck','file_name':'train\/truck\/2091.png','label':0},
                    {'file_name':'train\/0\/27035.png','klass':0,'label':4},
                    {'klass':'cat','file_name':'train/cat/1.png','label':7,'true_label':3},
                    {'file_name':'a/b.jpg','verification_label':1,'klass':'pie','label':5,'extra':null},
                    {'filepath':'train\/deer\/1743.png','klass':'deer','label':0}])"),
                       "x.json");
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0], (SplitRecord{"truck", "train/truck/2091.png", 0, -1}));
  EXPECT_EQ(records[1], (SplitRecord{"0", "train/0/27035.png", 4, -1}));
  EXPECT_EQ(records[2], (SplitRecord{"cat", "train/cat/1.png", 7, 3}));
  EXPECT_EQ(records[3], (SplitRecord{"pie", "a/b.jpg", 5, -1}));
  EXPECT_EQ(records[4], (SplitRecord{"deer", "train/deer/1743.png", 0, -1}));
}

TEST(SplitJson, RefusesHostileInputWithFileAndRecord) {
  const std::string good = "{'klass':'a','file_name':'f','label':0}";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "byte"},
      {"{}", "a list of records"},
      {"7", "a number"},
      {"[7]", "record 0"},
      {"[[" + good + "]]", "a list"},
      {"[" + good + ",{'klass':'a','file_name':'f'}]", "record 1"},
      {"[{'klass':'a','label':0}]", "no file_name"},
      {"[{'file_name':'f','label':0}]", "no klass"},
      {"[{'klass':'a','file_name':'f','label':-1}]", "-1"},
      {"[{'klass':'a','file_name':'f','label':1.5}]", "1.5"},
      {"[{'klass':'a','file_name':'f','label':true}]", "true"},
      {"[{'klass':'a','file_name':'f','label':'0'}]", "a text"},
      {"[{'klass':'a','file_name':'f','label':99999999999999}]", "label below"},
      {"[{'klass':'a','file_name':3,'label':0}]", "file_name"},
      {"[{'klass':'a','file_name':'','label':0}]", "empty"},
      {"[{'klass':'a','klass':'b','file_name':'f','label':0}]", "twice"},
      {"[{'klass':'a','file_name':'f','label':0,'x':{}}]", "no objects"},
      {"[{'klass':'a','file_name':'f','label':0,'x':[]}]", "no lists"},
      {"[{'klass':'" + std::string(5000, 'a') + "','file_name':'f','label':0}]", "5000 bytes"},
      {"[" + good, "byte"},
      {"[" + good + "]x", "byte"},
      {"[{'klass':'\xff','file_name':'f','label':0}]", "byte"},
      {std::string(100000, '['), "a list"},
  };
  for (const auto& [json, because] : cases) {
    const std::string error = error_of([&] { parse_split_json(unescaped(json), "some.json"); });
    EXPECT_NE(error.find("some.json"), std::string::npos) << json.substr(0, 80);
    EXPECT_NE(error.find(because), std::string::npos) << json.substr(0, 80) << " -> " << error;
  }
}

RC_GTEST_PROP(SplitJson, FormatAndParseAreInverse, ()) {
  const auto text = rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)));
  const auto record = rc::gen::build<SplitRecord>(
      rc::gen::set(&SplitRecord::klass, text), rc::gen::set(&SplitRecord::file_name, text),
      rc::gen::set(&SplitRecord::label, rc::gen::inRange<int64_t>(0, 1'000'000'000)),
      rc::gen::set(&SplitRecord::true_label, rc::gen::inRange<int64_t>(-1, 1000)));
  const auto records = *rc::gen::container<std::vector<SplitRecord>>(record);
  RC_ASSERT(parse_split_json(format_split_json(records, "x"), "x") == records);
}

RC_GTEST_PROP(SplitFiles, RoundTripKeepsTasksLabelsAndTruth, ()) {
  const Folder folder;
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  StreamOptions options;
  options.kind =
      *rc::gen::element<std::string>("disjoint", "blurry10", "blurry30", "iblurry-50-10", "recurring");
  options.noise = *rc::gen::element<std::string>("none", "sym:0.2", "asym:0.2");
  Dataset set = toy_set(10, 40);
  if (*rc::gen::arbitrary<bool>())
    for (int64_t i = 0; i < set.size(); ++i)
      set.paths.push_back("train/some class/img" + std::to_string(i) + ".jpg");
  const Dataset clean = set;
  apply_noise(options, seed, set);
  const auto tasks = make_tasks(options, seed, set);
  write_split_files(folder.path(), split_prefix(set, options, seed), set, tasks);
  Dataset read = clean;
  const auto again = read_split_files(folder.path(), read);
  RC_ASSERT(again.size() == tasks.size());
  for (size_t t = 0; t < tasks.size(); ++t) {
    RC_ASSERT(again[t].rows == tasks[t].rows);
    std::vector<int64_t> major = tasks[t].classes;
    std::sort(major.begin(), major.end());
    RC_ASSERT(again[t].classes == major);
  }
  RC_ASSERT(read.labels == set.labels);
  RC_ASSERT(read.true_labels == (set.true_labels == set.labels ? std::vector<int64_t>{} : set.true_labels));
}

TEST(SplitFiles, LoadAsPublishedAndMapLabelsByName) {
  const Folder folder;
  folder.write("toy_train_blurry10_rand1_cls1_task0.json",
               R"([{'klass':'dog','file_name':'train\/dog\/0002.png','label':0},
                   {'klass':'cat','file_name':'train\/cat\/0003.png','label':1}])");
  folder.write("toy_train_blurry10_rand1_cls1_task1.json",
               R"([{'klass':'cat','file_name':'train\/cat\/0001.png','label':1}])");
  folder.write("toy_test_rand1_cls1_task0.json", "not even JSON");
  folder.write("toy_valid_blurry10_rand1_cls1_task0.json", "nor this");
  Dataset set = cats_and_dogs();
  const auto tasks = read_split_files(folder.path(), set);
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].rows, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(tasks[1].rows, (std::vector<int64_t>{0}));
  EXPECT_EQ(set.labels, cats_and_dogs().labels);
  EXPECT_TRUE(set.true_labels.empty());
}

TEST(SplitFiles, NoiseIsReadOnceAndTheStreamAgrees) {
  const Folder folder;
  folder.write("a_task0.json", R"([{'klass':'dog','file_name':'train/dog/0001.png','label':1,'true_label':0},
                                   {'klass':'cat','file_name':'train/cat/0001.png','label':1,'true_label':1}])");
  Dataset set = cats_and_dogs();
  StreamOptions options;
  options.kind = "splits:" + folder.path().string();
  apply_noise(options, 1, set);
  EXPECT_EQ(set.labels[1], 0);  // row 1 is a dog that arrives as a cat
  EXPECT_EQ(set.true_labels[1], 1);
  const Dataset noisy = set;
  options.file_order = true;
  EXPECT_EQ(make_tasks(options, 1, set)[0].rows, (std::vector<int64_t>{1, 0}));
  apply_noise(options, 1, set);
  EXPECT_EQ(set.labels, noisy.labels);
  EXPECT_EQ(set.true_labels, noisy.true_labels);
}

TEST(SplitFiles, SortedFilesArriveShuffledUnlessTheirOrderIsMeant) {
  const Folder folder;
  folder.write(
      "a_task0.json",
      R"([{'klass':'cat','file_name':'1.png','label':0},{'klass':'cat','file_name':'2.png','label':0},
      {'klass':'cat','file_name':'3.png','label':0},{'klass':'dog','file_name':'1.png','label':1},
      {'klass':'dog','file_name':'2.png','label':1},{'klass':'dog','file_name':'3.png','label':1}])");
  const Dataset set = cats_and_dogs();
  StreamOptions options;
  options.kind = "splits:" + folder.path().string();
  const auto rows = [&](uint64_t seed) { return make_tasks(options, seed, set)[0].rows; };
  const std::vector<int64_t> sorted{0, 2, 4, 1, 3, 5};
  std::set<std::vector<int64_t>> orders;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    EXPECT_EQ(rows(seed), rows(seed));
    EXPECT_TRUE(std::is_permutation(sorted.begin(), sorted.end(), rows(seed).begin()));
    orders.insert(rows(seed));
  }
  EXPECT_GT(orders.size(), 4U);
  options.file_order = true;
  EXPECT_EQ(rows(1), sorted);
  options.kind = "blurry10";
  EXPECT_THROW(options.check(), std::invalid_argument);
}

TEST(SplitFiles, NumbersMayCountFromZeroOrRows) {
  const Folder folder;
  folder.write(
      "a_task0.json",
      R"([{'klass':'dog','file_name':'dog/0.png','label':0},{'klass':'cat','file_name':'cat/2.png','label':1}])");
  Dataset set = cats_and_dogs();
  EXPECT_EQ(read_split_files(folder.path(), set)[0].rows, (std::vector<int64_t>{1, 4}));
  folder.write(
      "a_task0.json",
      R"([{'klass':'dog','file_name':'dog/5.png','label':0},{'klass':'cat','file_name':'cat/2.png','label':1}])");
  EXPECT_EQ(read_split_files(folder.path(), set)[0].rows, (std::vector<int64_t>{5, 2}));
  folder.write("a_task0.json", R"([{'klass':'dog','file_name':'dog/4.png','label':0}])");
  EXPECT_NE(error_of([&] { read_split_files(folder.path(), set); }).find("record 0"), std::string::npos);
}

TEST(SplitFiles, PathsMatchWithOrWithoutTheFirstFolder) {
  const Folder folder;
  Dataset set = cats_and_dogs();
  set.paths = {"train/cat/a.jpg", "train/dog/a.jpg", "cat/b.jpg", "dog/b.jpg", "x.jpg", "y.jpg"};
  folder.write(
      "a_task0.json",
      R"([{'klass':0,'file_name':'train/dog/a.jpg','label':0},{'klass':0,'file_name':'dog/a.jpg','label':0},
                                   {'klass':1,'file_name':'train/cat/b.jpg','label':1}])");
  EXPECT_EQ(read_split_files(folder.path(), set)[0].rows, (std::vector<int64_t>{1, 1, 2}));
  folder.write("a_task0.json", R"([{'klass':0,'file_name':'other/cat/a.png','label':0}])");
  EXPECT_NE(error_of([&] { read_split_files(folder.path(), set); }).find("other/cat/a.png"),
            std::string::npos);
}

TEST(SplitFiles, ErrorsLeaveTheSetAsItWas) {
  const Folder folder;
  Dataset set = cats_and_dogs();
  const auto read = [&] { read_split_files(folder.path(), set); };
  EXPECT_NE(error_of(read).find("none"), std::string::npos);
  folder.write(
      "a_task0.json",
      R"([{'klass':'cat','file_name':'1.png','label':0},{'klass':'dog','file_name':'2.png','label':0}])");
  EXPECT_NE(error_of(read).find("label 0 for class cat in record 1"), std::string::npos) << error_of(read);
  folder.write("a_task0.json", R"([{'klass':'cow','file_name':'1.png','label':0}])");
  EXPECT_NE(error_of(read).find("cow"), std::string::npos);
  folder.write("a_task0.json", R"([{'klass':'cat','file_name':'one.png','label':0}])");
  EXPECT_NE(error_of(read).find("number"), std::string::npos);
  folder.write("a_task0.json", R"([{'klass':'cat','file_name':'1.png','label':5,'true_label':0}])");
  EXPECT_NE(error_of(read).find("true one"), std::string::npos) << error_of(read);
  folder.write("a_task0.json", R"([{'klass':'cat','file_name':'1.png','label':0}])");
  folder.write("a_task2.json", "[]");
  EXPECT_NE(error_of(read).find("task 1"), std::string::npos);
  EXPECT_EQ(set.labels, cats_and_dogs().labels);
  EXPECT_NE(error_of([&] { read_split_files(folder.path() / "missing" / "x", set); }), "");
}

TEST(SplitFiles, OneOfSeveralIsChosenByName) {
  const Folder folder;
  folder.write("a_rand1_task0.json", R"([{'klass':'cat','file_name':'1.png','label':0}])");
  folder.write("a_rand2_task0.json", R"([{'klass':'dog','file_name':'1.png','label':0}])");
  Dataset set = cats_and_dogs();
  EXPECT_NE(error_of([&] { read_split_files(folder.path(), set); }).find("2 splits"), std::string::npos);
  EXPECT_EQ(read_split_files(folder.path() / "a_rand2", set)[0].rows, (std::vector<int64_t>{1}));
}

}  // namespace
}  // namespace perennial
