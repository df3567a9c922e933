// Runs of one process do not know each other: each has its log, its threads and its names.
#include <thread>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "perennial/learn/plugin.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Seen {
  int64_t steps = 0, other_threads = 0;
};

/// Counts the steps that were not taken with `threads` of ours and of libtorch's.
class ThreadCounter : public Plugin {
 public:
  ThreadCounter(Seen& seen, int threads) : seen_(seen), threads_(threads) {}
  std::string name() const override { return "thread_counter"; }
  void after_step(const Surroundings&) override {
    ++seen_.steps;
    seen_.other_threads += thread_count() != threads_ || at::get_num_threads() != threads_;
  }

 private:
  Seen& seen_;
  int threads_;
};

/// A run of a method that is registered under `name`, begun and finished on the calling thread.
Seen learn(const std::string& name, int threads, const std::filesystem::path& folder) {
  Context context;
  const Context::Use use(context);
  const int libtorch_threads = at::get_num_threads();
  Seen seen;
  register_method(
      with_plugin(find_method("er"), name, "Experience replay, watched",
                  [&](const LearnerSetup&) { return std::make_unique<ThreadCounter>(seen, threads); }));
  Progress silent;
  const auto run = Run::create(classify({{"learner", name},
                                         {"threads", std::to_string(threads)},
                                         {"data", "digits"},
                                         {"data.classes", "0,1,2,3"},
                                         {"stream", "disjoint"},
                                         {"tasks", "2"},
                                         {"stream.limit", "300"},
                                         {"epochs", "2"},
                                         {"model.width", "0.2"},
                                         {"memory", "60"}}),
                               folder, silent);
  run->execute();
  EXPECT_EQ(thread_count(), 1) << "the caller's are as they were";
  EXPECT_EQ(at::get_num_threads(), libtorch_threads);
  std::jthread([&] { EXPECT_EQ(run->metrics_json()["learner"], name) << "whoever asks"; });
  return seen;
}

TEST(TwoRuns, OfOneProcessDoNotKnowEachOther) {
  const TemporaryFolder folder;
  learn("alone", 1, folder / "alone");
  Seen one, three;
  {
    std::jthread a([&] { one = learn("er-one", 1, folder / "one"); });
    std::jthread b([&] { three = learn("er-three", 3, folder / "three"); });
  }
  EXPECT_GT(one.steps, 20);
  EXPECT_EQ(one.steps, three.steps);
  EXPECT_EQ(one.other_threads, 0);
  EXPECT_EQ(three.other_threads, 0);
  EXPECT_THAT(read_file(folder / "one" / "log.txt"),
              AllOf(HasSubstr("er-one on digits"), HasSubstr("finished"), Not(HasSubstr("er-three"))));
  EXPECT_THAT(read_file(folder / "three" / "log.txt"),
              AllOf(HasSubstr("er-three on digits"), HasSubstr("finished"), Not(HasSubstr("er-one"))));
  EXPECT_EQ(read_file(folder / "one" / "model.safetensors"),
            read_file(folder / "alone" / "model.safetensors"));
  EXPECT_THROW(find_method("er-one"), std::invalid_argument) << "this thread registered nothing";
}

// On one thread, by turns.
TEST(TwoRuns, BegunTogetherWriteToTheirOwnLogs) {
  const TemporaryFolder folder;
  Progress silent;
  const Settings settings{
      {"data", "digits"}, {"stream.limit", "100"}, {"model.width", "0.1"}, {"memory", "20"}};
  const auto one = Run::create(classify(settings), folder / "one", silent);
  const auto two = Run::create(classify(settings), folder / "two", silent);
  one->execute();
  EXPECT_THAT(read_file(folder / "one" / "log.txt"), HasSubstr("finished"));
  EXPECT_THAT(read_file(folder / "two" / "log.txt"), Not(HasSubstr("finished")));
  two->execute();
  EXPECT_THAT(read_file(folder / "two" / "log.txt"), HasSubstr("finished"));
}

}  // namespace
}  // namespace perennial
