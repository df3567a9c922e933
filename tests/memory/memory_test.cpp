#include "perennial/memory/memory.h"

#include <set>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "perennial/memory/epoch_order.h"
#include "perennial/memory/replay_order.h"

namespace perennial {
namespace {

Samples rows(int64_t n, int64_t first_id = 0) {
  Samples s{at::full({n, 1, 2, 2}, 7, at::kByte), at::arange(n, at::kLong), {}};
  for (int64_t i = 0; i < n; ++i) s.ids.push_back(first_id + i);
  return s;
}

TEST(MemoryBudget, IsGivenInSamplesOrBytes) {
  EXPECT_EQ(MemoryBudget::parse("500").capacity(rows(1)), 500);
  EXPECT_EQ(rows(3).bytes(), 3 * (4 + 8 + 8));  // pixels, label, id
  EXPECT_EQ(MemoryBudget::parse("1KB").capacity(rows(3)), 50);
  EXPECT_EQ(MemoryBudget::parse("50MB").bytes, 50'000'000);
  for (const char* bad : {"", "many", "-5", "0MB", "5XB", "1e3", "1.5", "nan", "-5MB", "1e30GB"}) try {
      MemoryBudget::parse(bad);
      ADD_FAILURE() << bad;
    } catch (const std::invalid_argument& e) {
      EXPECT_TRUE(std::string(e.what()).starts_with("memory: ")) << e.what();
    }
}

TEST(Memory, NeverHoldsMoreThanItsBudget) {
  Memory memory(MemoryBudget::parse("100B"));
  memory.replace(rows(5));
  EXPECT_EQ(memory.bytes(), 100);
  EXPECT_THROW(memory.replace(rows(6)), std::invalid_argument);
  EXPECT_EQ(memory.size(), 5);
  EXPECT_THROW(memory.append(rows(1), 0), std::invalid_argument);
}

TEST(Memory, KeepsCopiesNotReferences) {
  Samples source = rows(4);
  Memory memory(MemoryBudget::parse("10"));
  memory.append(source, 2);
  source.inputs.fill_(0);
  EXPECT_EQ(memory.samples().inputs.min().item<int64_t>(), 7);
  EXPECT_EQ(memory.samples().ids, (std::vector<int64_t>{2}));
}

TEST(Memory, SavedAndLoadedIsTheSame) {
  Memory memory(MemoryBudget::parse("10"));
  memory.replace(rows(3, 40), {0.0F, 0.25F, 0.5F});
  State state;
  memory.save(state, "m.");
  Memory other(MemoryBudget::parse("10"));
  other.load(decode_state(encode_state(state), "test"), "m.");
  EXPECT_TRUE(at::equal(other.samples().inputs, memory.samples().inputs));
  EXPECT_EQ(other.samples().ids, memory.samples().ids);
  EXPECT_EQ(other.scores(), memory.scores());
}

struct StopsAfter : Progress {
  explicit StopsAfter(int64_t most) : left(most) {}
  void advance(int64_t) override { --left; }
  bool stop_requested() const override { return left == 0; }
  int64_t left;
};

TEST(EpochOrder, ShowsEveryRowOnceAndGoesOnWhereItWasStopped) {
  const auto epoch = [](EpochOrder& order, int64_t began, Progress& progress, std::vector<int64_t>& rows) {
    order.run(10, 3, began, "epoch", progress,
              [&](std::span<const int64_t> some, int64_t index, int64_t batches) {
                EXPECT_EQ(batches, 4);
                EXPECT_EQ(some.size(), index < 3 ? 3U : 1U);
                rows.insert(rows.end(), some.begin(), some.end());
              });
  };
  Progress never;
  EpochOrder whole(5, "test");
  std::vector<int64_t> expected, other;
  epoch(whole, 7, never, expected);
  EXPECT_EQ(std::set<int64_t>(expected.begin(), expected.end()).size(), 10U);
  epoch(whole, 8, never, other);
  EXPECT_NE(other, expected);

  EpochOrder first(5, "test"), second(5, "test");
  StopsAfter two(2);
  std::vector<int64_t> found;
  EXPECT_THROW(epoch(first, 7, two, found), Interrupted);
  EXPECT_TRUE(first.inside());
  State state;
  first.save(state, "o.");
  second.load(state, "o.");
  epoch(second, 9, never, found);  // the order is that of the beginning
  EXPECT_FALSE(second.inside());
  EXPECT_EQ(found, expected);
}

TEST(ReplayOrder, ShowsEveryRowOncePerCycleAndResumes) {
  ReplayOrder order(3), again(0);
  std::vector<int> seen(10, 0);
  for (int i = 0; i < 5; ++i)
    for (const int64_t row : order.next(2, 10)) ++seen[row];
  EXPECT_EQ(seen, std::vector<int>(10, 1));
  order.next(3, 10);
  State state;
  order.save(state, "o.");
  again = ReplayOrder(3);
  again.load(state, "o.");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(order.next(3, 10), again.next(3, 10));
}

TEST(ReplayOrder, SurvivesAMemoryThatShrinks) {
  ReplayOrder order(1);
  order.next(2, 100);
  for (const int64_t row : order.next(50, 4)) EXPECT_LT(row, 4);
}

}  // namespace
}  // namespace perennial
