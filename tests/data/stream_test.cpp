#include "perennial/data/stream.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "perennial/base/options.h"
#include "perennial/data/stream_kind.h"
#include "tests/data/fixture.h"

namespace perennial {
namespace {

using testing::toy_set;

StreamOptions options_of(const std::string& kind, int64_t tasks, const std::string& flavour = "paper") {
  StreamOptions options;
  options.kind = kind, options.tasks = tasks, options.flavour = flavour;
  return options;
}

std::vector<int64_t> all_rows(const std::vector<Task>& tasks) {
  std::vector<int64_t> rows;
  for (const Task& task : tasks) rows.insert(rows.end(), task.rows.begin(), task.rows.end());
  return rows;
}

std::vector<std::vector<int64_t>> counts_of(const Dataset& set, const std::vector<Task>& tasks) {
  std::vector<std::vector<int64_t>> counts(tasks.size(), std::vector<int64_t>(set.class_names.size()));
  for (size_t t = 0; t < tasks.size(); ++t)
    for (const int64_t row : tasks[t].rows)
      ++counts[t][static_cast<size_t>(set.labels[static_cast<size_t>(row)])];
  return counts;
}

bool is_major(const Task& task, int64_t c) {
  return std::find(task.classes.begin(), task.classes.end(), c) != task.classes.end();
}

TEST(StreamKind, ParsesWhatExistsAndNamesItOtherwise) {
  EXPECT_EQ(StreamKind::parse("blurry30").minor, 30);
  EXPECT_EQ(StreamKind::parse("iblurry-50-10").disjoint, 50);
  EXPECT_EQ(StreamKind::parse("iblurry-50-10").minor, 10);
  EXPECT_EQ(StreamKind::parse("splits:a/b").path, "a/b");
  for (const char* wrong :
       {"", "blury10", "blurry", "blurry101", "blurry-1", "blurry10x", "iblurry-50", "splits:"})
    EXPECT_THROW(StreamKind::parse(wrong), std::invalid_argument) << wrong;
  try {
    StreamKind::parse("disjont");
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("disjoint"), std::string::npos) << e.what();
  }
}

TEST(StreamOptions, RefuseImpossibleCombinations) {
  StreamOptions options;
  options.noise_pairs = "a-b";
  EXPECT_THROW(options.check(), std::invalid_argument);
  options.noise = "asym:0.4";
  EXPECT_NO_THROW(options.check());
  options.kind = "splits:x";
  EXPECT_THROW(options.check(), std::invalid_argument);
  EXPECT_THROW(options_of("iblurry-50-10", 5, "rm_notebook").check(), std::invalid_argument);
  EXPECT_THROW(options_of("blurry10", 0).check(), std::invalid_argument);
}

TEST(StreamOptions, BindUnderTheirNames) {
  StreamOptions options;
  OptionTable table;
  options.bind(table);
  table.set("stream", "blurry30");
  table.set("stream.flavour", "rm_files");
  EXPECT_EQ(options.kind, "blurry30");
  EXPECT_EQ(options.flavour, "rm_files");
  EXPECT_THROW(table.set("stream.flavour", "other"), std::invalid_argument);
  table.set("stream.flavour", "paper");
  table.set_as_released();
  EXPECT_EQ(options.flavour, "rm_files");
}

RC_GTEST_PROP(MakeTasks, UseEverySampleOnceButForTheNotebook, ()) {
  const auto per_class = *rc::gen::container<std::vector<int64_t>>(10, rc::gen::inRange<int64_t>(1, 60));
  const auto kind = *rc::gen::element<std::string>("disjoint", "blurry10", "blurry37", "blurry100",
                                                   "iblurry-50-10", "iblurry-33-80", "shuffled", "recurring");
  const auto flavour = *rc::gen::element<std::string>("paper", "rm_files");
  const auto tasks = *rc::gen::inRange<int64_t>(1, 11);
  const Dataset set = toy_set(per_class);
  RC_PRE(set.size() >= tasks);
  auto rows = all_rows(make_tasks(options_of(kind, tasks, flavour), *rc::gen::arbitrary<uint64_t>(), set));
  std::sort(rows.begin(), rows.end());
  std::vector<int64_t> expected(static_cast<size_t>(set.size()));
  std::iota(expected.begin(), expected.end(), 0);
  RC_ASSERT(rows == expected);
}

RC_GTEST_PROP(MakeTasks, DealClassesEvenly, ()) {
  const auto tasks = *rc::gen::inRange<int64_t>(1, 10);
  const auto classes = *rc::gen::inRange<int64_t>(10, 30);
  const auto kind = *rc::gen::element<std::string>("disjoint", "blurry10", "iblurry-50-10");
  const auto made = make_tasks(options_of(kind, tasks), *rc::gen::arbitrary<uint64_t>(), toy_set(classes, 3));
  std::set<int64_t> all;
  for (size_t t = 0; t < made.size(); ++t) {
    RC_ASSERT(static_cast<int64_t>(made[t].classes.size()) ==
              classes / tasks + (static_cast<int64_t>(t) < classes % tasks ? 1 : 0));
    all.insert(made[t].classes.begin(), made[t].classes.end());
  }
  RC_ASSERT(static_cast<int64_t>(all.size()) == classes);
}

TEST(MakeTasks, DisjointKeepsEachClassInOneTask) {
  const Dataset set = toy_set(10, 20);
  const auto tasks = make_tasks(options_of("disjoint", 5), 3, set);
  const auto counts = counts_of(set, tasks);
  for (size_t t = 0; t < 5; ++t)
    for (int64_t c = 0; c < 10; ++c)
      EXPECT_EQ(counts[t][static_cast<size_t>(c)], is_major(tasks[t], c) ? 20 : 0);
}

TEST(MakeTasks, PaperBlurryGivesExactlyMPerCentToTheOtherTasks) {
  const Dataset set = toy_set(10, 1000);
  for (const int64_t minor : {10, 30}) {
    const auto tasks = make_tasks(options_of("blurry" + std::to_string(minor), 5), 7, set);
    const auto counts = counts_of(set, tasks);
    for (size_t t = 0; t < 5; ++t)
      for (int64_t c = 0; c < 10; ++c)
        EXPECT_EQ(counts[t][static_cast<size_t>(c)],
                  is_major(tasks[t], c) ? 1000 - 10 * minor : 10 * minor / 4);
  }
}

TEST(MakeTasks, MixTheSamplesOfATask) {
  const Dataset set = toy_set(10, 1000);
  for (const char* kind : {"disjoint", "blurry30", "recurring"})
    for (const Task& task : make_tasks(options_of(kind, 5), 7, set)) {
      const auto half = task.rows.begin() + static_cast<std::ptrdiff_t>(task.rows.size() / 2);
      for (const int64_t c : task.classes) {
        const auto of_class = [&](int64_t row) { return set.labels[static_cast<size_t>(row)] == c; };
        const auto early = std::count_if(task.rows.begin(), half, of_class);
        const auto all = std::count_if(task.rows.begin(), task.rows.end(), of_class);
        EXPECT_NEAR(static_cast<double>(early) / static_cast<double>(all), 0.5, 0.1) << kind;
      }
    }
}

TEST(MakeTasks, MinorsThatAreFewerThanTasksFallAnywhere) {
  const Dataset set = toy_set(50, 100);  // 10 minors a class for 49 other tasks
  const auto tasks = make_tasks(options_of("blurry10", 50), 7, set);
  const auto counts = counts_of(set, tasks);
  int64_t before = 0, after = 0;
  for (int64_t t = 0; t < 50; ++t)
    for (int64_t c = 0; c < 50; ++c) {
      if (is_major(tasks[static_cast<size_t>(t)], c)) continue;
      EXPECT_LE(counts[static_cast<size_t>(t)][static_cast<size_t>(c)], 1);
      const int64_t own =
          std::find_if(tasks.begin(), tasks.end(), [&](const Task& task) { return is_major(task, c); }) -
          tasks.begin();
      ((own - t + 50) % 50 < 25 ? before : after) += counts[static_cast<size_t>(t)][static_cast<size_t>(c)];
    }
  EXPECT_EQ(before + after, 500);
  EXPECT_NEAR(static_cast<double>(before), 250, 60);
}

TEST(MakeTasks, FilesFlavourGivesEightPerCentForFiveTasks) {
  const Dataset set = toy_set(10, 1000);
  const auto tasks = make_tasks(options_of("blurry10", 5, "rm_files"), 7, set);
  const auto counts = counts_of(set, tasks);
  for (size_t t = 0; t < 5; ++t)
    for (int64_t c = 0; c < 10; ++c)
      EXPECT_EQ(counts[t][static_cast<size_t>(c)], is_major(tasks[t], c) ? 920 : 20);
}

TEST(MakeTasks, NotebookIgnoresMAndRepeatsMinors) {
  const Dataset set = toy_set(10, 1000);
  const auto tasks = make_tasks(options_of("blurry30", 5, "rm_notebook"), 7, set);
  const auto counts = counts_of(set, tasks);
  for (size_t t = 0; t < 5; ++t)
    for (int64_t c = 0; c < 10; ++c)
      EXPECT_EQ(counts[t][static_cast<size_t>(c)], is_major(tasks[t], c) ? 900 : 25);
  const auto rows = all_rows(tasks);
  const std::set<int64_t> distinct(rows.begin(), rows.end());
  EXPECT_EQ(rows.size(), 10000U);
  // Four independent draws of 25 from 100: 100 * (1 - 0.75^4) = 68.4 different ones per class.
  EXPECT_NEAR(static_cast<double>(distinct.size()), 9000 + 684, 60);
}

TEST(MakeTasks, IBlurryKeepsItsShareOfClassesDisjoint) {
  const Dataset set = toy_set(10, 1000);
  StreamOptions options = options_of("iblurry-50-10", 5);
  options.class_order = "class j,class i,class h,class g,class f,class e,class d,class c,class b,class a";
  const auto tasks = make_tasks(options, 7, set);
  const auto counts = counts_of(set, tasks);
  for (size_t t = 0; t < 5; ++t) {
    EXPECT_EQ(tasks[t].classes,
              (std::vector<int64_t>{9 - static_cast<int64_t>(t), 4 - static_cast<int64_t>(t)}));
    for (int64_t c = 0; c < 10; ++c) {
      const int64_t expected = c >= 5 ? (is_major(tasks[t], c) ? 1000 : 0) : is_major(tasks[t], c) ? 900 : 25;
      EXPECT_EQ(counts[t][static_cast<size_t>(c)], expected) << t << " " << c;
    }
  }
}

TEST(MakeTasks, ShuffledHasAllClassesEverywhere) {
  const Dataset set = toy_set(10, 100);
  const auto tasks = make_tasks(options_of("shuffled", 3), 1, set);
  EXPECT_EQ(tasks[0].rows.size(), 334U);
  EXPECT_EQ(tasks[2].rows.size(), 333U);
  for (const auto& counts : counts_of(set, tasks))
    for (const int64_t count : counts) EXPECT_NEAR(static_cast<double>(count), 33.3, 25);
  EXPECT_EQ(tasks[1].classes.size(), 10U);
}

TEST(MakeTasks, RecurringGroupsComeBack) {
  const Dataset set = toy_set(6, 10);
  const auto tasks = make_tasks(options_of("recurring", 5), 1, set);
  EXPECT_EQ(tasks[0].classes, tasks[3].classes);
  EXPECT_EQ(tasks[1].classes, tasks[4].classes);
  const auto counts = counts_of(set, tasks);
  for (const int64_t c : tasks[0].classes) {
    EXPECT_EQ(counts[0][static_cast<size_t>(c)], 5);
    EXPECT_EQ(counts[3][static_cast<size_t>(c)], 5);
  }
  for (const int64_t c : tasks[2].classes) EXPECT_EQ(counts[2][static_cast<size_t>(c)], 10);
}

TEST(MakeTasks, MoreTasksThanClassesIsAnError) {
  const Dataset set = toy_set(4, 10);
  EXPECT_THROW(make_tasks(options_of("disjoint", 5), 1, set), std::invalid_argument);
  EXPECT_THROW(make_tasks(options_of("blurry10", 5), 1, set), std::invalid_argument);
  EXPECT_THROW(make_tasks(options_of("recurring", 9), 1, set), std::invalid_argument);
  EXPECT_NO_THROW(make_tasks(options_of("recurring", 8), 1, set));
  EXPECT_NO_THROW(make_tasks(options_of("shuffled", 40), 1, set));
  EXPECT_THROW(make_tasks(options_of("shuffled", 41), 1, set), std::invalid_argument);
}

TEST(MakeTasks, ClassOrderIsTheNamedOneOrAFunctionOfTheSeed) {
  const Dataset set = toy_set(4, 5);
  StreamOptions options = options_of("disjoint", 2);
  options.class_order = "class c, class a, class d, class b";
  const auto tasks = make_tasks(options, 1, set);
  EXPECT_EQ(tasks[0].classes, (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(tasks[1].classes, (std::vector<int64_t>{3, 1}));
  for (const char* wrong :
       {"class a", "class a,class a,class b,class c,class d", "class a,class b,class c,class x"}) {
    options.class_order = wrong;
    EXPECT_THROW(make_tasks(options, 1, set), std::invalid_argument) << wrong;
  }
}

TEST(MakeTasks, ClassesWithoutSamplesAreLeftOut) {
  const Dataset set = toy_set({5, 0, 5, 5});
  const auto tasks = make_tasks(options_of("disjoint", 3), 1, set);
  for (const Task& task : tasks) EXPECT_EQ(task.rows.size(), 5U);
}

RC_GTEST_PROP(MakeTasks, AreAFunctionOfTheSeed, ()) {
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  const auto kind =
      *rc::gen::element<std::string>("disjoint", "blurry10", "iblurry-50-10", "shuffled", "recurring");
  const Dataset set = toy_set(10, 30);
  const auto a = all_rows(make_tasks(options_of(kind, 5), seed, set));
  RC_ASSERT(a == all_rows(make_tasks(options_of(kind, 5), seed, set)));
  RC_ASSERT(a != all_rows(make_tasks(options_of(kind, 5), seed + 1, set)));
}

TEST(MakeTasks, LimitCutsEveryTaskInProportion) {
  const Dataset set = toy_set({100, 100, 20, 20});
  StreamOptions options = options_of("disjoint", 2);
  options.class_order = "class a,class b,class c,class d";
  options.limit = 60;
  const auto tasks = make_tasks(options, 1, set);
  EXPECT_EQ(tasks[0].rows.size(), 50U);
  EXPECT_EQ(tasks[1].rows.size(), 10U);
  options.limit = 0;
  const auto whole = make_tasks(options, 1, set);
  EXPECT_TRUE(std::equal(tasks[0].rows.begin(), tasks[0].rows.end(), whole[0].rows.begin()));
}

TEST(Stream, YieldsRowsAsTheyArriveAndStopsAtBoundaries) {
  Dataset set = toy_set(2, 4);
  set.labels[2] = 1;
  Stream stream(std::make_shared<Dataset>(set), {{{0, 2, 4}, {0}}, {{}, {}}, {{1, 3}, {1}}});
  EXPECT_EQ(stream.size(), 5);
  Batch batch = stream.next(2);
  EXPECT_EQ(batch.samples.ids(), (std::vector<int64_t>{1000, 1002}));
  EXPECT_EQ(batch.samples.labels()[1], 1);
  EXPECT_EQ(batch.samples.tensor(column::kImage).const_data_ptr<uint8_t>()[4], 2);
  EXPECT_EQ(stream.left_in_task(), 1);
  EXPECT_EQ(stream.next(8).samples.size(), 1);
  EXPECT_EQ(stream.task(), 2);
  batch = stream.next(8);
  EXPECT_EQ(batch.task, 2);
  EXPECT_EQ(batch.samples.size(), 2);
  EXPECT_TRUE(stream.finished());
  EXPECT_TRUE(stream.next(1).samples.empty());
  EXPECT_THROW(stream.next(0), std::invalid_argument);
  EXPECT_THROW(stream.seek(6), std::invalid_argument);
  EXPECT_THROW(stream.seek(-1), std::invalid_argument);
  EXPECT_THROW(Stream(std::make_shared<Dataset>(set), {{{8}, {0}}}), std::invalid_argument);
}

RC_GTEST_PROP(Stream, CutAnywhereAndResumedIsTheSame, ()) {
  const Dataset set = toy_set(6, 9);
  const auto tasks = make_tasks(options_of("blurry30", 3), *rc::gen::arbitrary<uint64_t>(), set);
  const auto cut = *rc::gen::inRange<int64_t>(0, set.size() + 1);
  const auto size = *rc::gen::inRange<int64_t>(1, 12);
  const auto source = std::make_shared<Dataset>(set);
  Stream whole(source, tasks), resumed(source, tasks);
  while (whole.position() < cut) whole.next(std::min(cut - whole.position(), size));
  resumed.seek(cut);
  RC_ASSERT(whole.task() == resumed.task());
  while (!whole.finished()) {
    const int64_t task = whole.task(), left = whole.left_in_task();
    const Batch a = whole.next(size), b = resumed.next(size);
    RC_ASSERT(a.samples == b.samples);
    RC_ASSERT(a.task == task);
    RC_ASSERT(a.samples.size() == std::min(size, left));
  }
  RC_ASSERT(resumed.finished());
}

// An update is a task of another source; what has passed is not needed again.
TEST(Stream, GrowsByTasksOfOtherSources) {
  Stream stream(std::make_shared<Dataset>(toy_set(2, 2)), {{{0, 1}, {0, 1}}});
  stream.next(2);
  EXPECT_TRUE(stream.finished());
  Dataset later = toy_set(1, 3);
  later.ids = {7, 8, 9};
  stream.grow(std::make_shared<Dataset>(later), {{{2, 0}, {0}}});
  EXPECT_EQ(stream.size(), 4);
  EXPECT_EQ(stream.task(), 1);
  EXPECT_EQ(stream.next(5).samples.ids(), (std::vector<int64_t>{9, 7}));
  stream.seek(2);
  Stream resumed;
  resumed.grow_passed(2);
  resumed.grow(std::make_shared<Dataset>(later), {{{2, 0}, {0}}});
  EXPECT_EQ(resumed.position(), 2);
  EXPECT_THROW(resumed.seek(1), std::invalid_argument);
  EXPECT_EQ(resumed.next(5).samples.ids(), stream.next(5).samples.ids());
}

}  // namespace
}  // namespace perennial
