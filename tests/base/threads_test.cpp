#include "perennial/base/threads.h"

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace perennial {
namespace {

class Threads : public testing::Test {
 protected:
  ~Threads() override { set_thread_count(before_); }
  const int before_ = thread_count();
};

TEST_F(Threads, EveryIndexIsCoveredOnceWhateverTheGrain) {
  for (const int threads : {1, 2, 5}) {
    set_thread_count(threads);
    EXPECT_EQ(thread_count(), threads);
    for (const int64_t count : {1, 7, 64, 1001})
      for (const int64_t grain : {0, 1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
        parallel_for(count, grain, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
        });
        for (const auto& n : visits) ASSERT_EQ(n, 1) << threads << " threads, " << count << " by " << grain;
      }
  }
}

TEST_F(Threads, PiecesAreAtLeastGrainLongButForTheLast) {
  set_thread_count(3);
  std::atomic<int> short_pieces{0};
  parallel_for(100, 30, [&](int64_t begin, int64_t end) { short_pieces += end - begin < 30 && end != 100; });
  EXPECT_EQ(short_pieces, 0);
}

TEST_F(Threads, NothingIsCalledForNoWork) {
  parallel_for(0, 1, [](int64_t, int64_t) { FAIL() << "called"; });
  parallel_for(-5, 1, [](int64_t, int64_t) { FAIL() << "called"; });
}

TEST_F(Threads, AnExceptionOfAPieceReachesTheCallerAndThePoolGoesOn) {
  set_thread_count(4);
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(parallel_for(1000, 1,
                              [](int64_t begin, int64_t end) {
                                if (begin <= 500 && 500 < end) throw std::runtime_error("piece");
                              }),
                 std::runtime_error);
    std::atomic<int64_t> sum{0};
    parallel_for(1000, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
    EXPECT_EQ(sum, 1000);
  }
}

TEST_F(Threads, ANestedCallRunsOnTheSameThread) {
  set_thread_count(4);
  std::atomic<int64_t> sum{0}, strayed{0};
  parallel_for(16, 1, [&](int64_t begin, int64_t end) {
    const auto outer = std::this_thread::get_id();
    parallel_for(100, 1, [&](int64_t b, int64_t e) {
      strayed += std::this_thread::get_id() != outer;
      sum += (end - begin) * (e - b);
    });
  });
  EXPECT_EQ(sum, 1600);
  EXPECT_EQ(strayed, 0);
}

TEST_F(Threads, SeveralPiecesRunAtOnce) {
  set_thread_count(2);
  // Each of two pieces waits for the other to begin: one thread alone would wait for ever.
  std::atomic<int> begun{0};
  parallel_for(2, 1, [&](int64_t, int64_t) {
    ++begun;
    while (begun < 2) std::this_thread::yield();
  });
  EXPECT_EQ(begun, 2);
}

TEST_F(Threads, CallersOnSeveralThreadsShareThePool) {
  set_thread_count(3);
  std::atomic<int64_t> sum{0};
  std::vector<std::jthread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        parallel_for(100, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
    });
  callers.clear();
  EXPECT_EQ(sum, 4 * 50 * 100);
}

TEST_F(Threads, FewerThanOneThreadIsOne) {
  set_thread_count(0);
  EXPECT_EQ(thread_count(), 1);
}

}  // namespace
}  // namespace perennial
