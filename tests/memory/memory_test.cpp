#include "perennial/memory/memory.h"

#include <functional>
#include <numeric>
#include <set>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/memory/epoch_order.h"
#include "perennial/memory/replay_order.h"

namespace perennial {
namespace {

Samples rows(int64_t n, int64_t first_id = 0) {
  std::vector<int64_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), first_id);
  return {
      std::move(ids),
      {{column::kImage, at::full({n, 1, 2, 2}, 7, at::kByte)}, {column::kLabel, at::arange(n, at::kLong)}}};
}

TEST(MemoryBudget, IsGivenInSamplesOrBytes) {
  EXPECT_EQ(MemoryBudget::parse("500").capacity(20), 500);
  EXPECT_EQ(rows(3).bytes(), 3 * (4 + 8 + 8));  // pixels, label, id
  EXPECT_EQ(MemoryBudget::parse("1KB").capacity(20), 50);
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
  source.tensor(column::kImage).fill_(0);
  EXPECT_EQ(memory.samples().tensor(column::kImage).min().item<int64_t>(), 7);
  EXPECT_EQ(memory.samples().ids(), (std::vector<int64_t>{2}));
}

/// A sound of `length` values, all `value`.
Samples sound(int64_t length, float value, int64_t id) {
  return {{id},
          {{column::kLabel, at::zeros({1}, at::kLong)},
           {"audio", Column(at::full({length}, value), {0, length})}}};
}

int64_t bytes_of(int64_t length) { return 8 + 8 + 4 * length; }

TEST(Memory, RowsOfAnyLengthAreKeptAndCounted) {
  Memory memory(MemoryBudget::parse("1000B"));
  for (int64_t i = 0; i < 5; ++i) memory.append(sound(10 + i, 1.0F, i), 0);
  EXPECT_EQ(memory.bytes(), 5 * bytes_of(12));
  EXPECT_EQ(memory.bytes(), memory.samples().bytes());
  const Random random(1, "test");
  EXPECT_FALSE(memory.put(3, sound(50, 2.0F, 30), 0, random));
  EXPECT_EQ(memory.samples().ids(), (std::vector<int64_t>{0, 1, 2, 30, 4}));
  EXPECT_EQ(memory.samples().column("audio").row(3).sum().item<float>(), 100);
  EXPECT_EQ(memory.samples().column("audio").row(4).numel(), 14);
  EXPECT_EQ(memory.take(std::vector<int64_t>{3, 0}), take(memory.samples(), std::vector<int64_t>{3, 0}));
  // One of 200 values leaves no room for all others; one of 300 has none itself.
  EXPECT_TRUE(memory.put(0, sound(200, 3.0F, 40), 0, random));
  EXPECT_LE(memory.bytes(), 1000);
  EXPECT_EQ(memory.samples().ids().back(), 40);
  EXPECT_FALSE(memory.put(0, sound(300, 3.0F, 50), 0, random));
  EXPECT_GT(memory.size(), 0);
  EXPECT_EQ(memory.bytes(), memory.samples().bytes());
  EXPECT_THAT(memory.samples().ids(), testing::Not(testing::Contains(50)));
  EXPECT_THROW(memory.append(rows(1), 0), std::invalid_argument) << "images are no sounds";
}

TEST(Memory, WhatItRefusesLeavesItAsItWas) {
  Memory memory(MemoryBudget::parse("10"));
  memory.append(sound(3, 1.0F, 1), 0);
  memory.append(sound(4, 2.0F, 2), 0);
  const Samples before = take(memory.samples(), std::vector<int64_t>{0, 1});
  const Random random(1, "test");
  const Samples other_type = sound(5, 3.0F, 3).with(column::kLabel, at::zeros({1}));
  const Samples fewer({4}, {{column::kLabel, at::zeros({1}, at::kLong)}});
  for (const Samples& wrong : {other_type, fewer, rows(1)}) {
    EXPECT_THROW(memory.append(wrong, 0), std::invalid_argument);
    EXPECT_THROW(memory.put(0, wrong, 0, random), std::invalid_argument);
  }
  EXPECT_THROW(memory.take(std::vector<int64_t>{2}), std::invalid_argument);
  EXPECT_THROW(memory.take(std::vector<int64_t>{-1}), std::invalid_argument);
  EXPECT_EQ(memory.samples(), before);
  EXPECT_EQ(memory.bytes(), before.bytes());
  memory.append(sound(6, 4.0F, 5), 0);
  EXPECT_EQ(memory.samples().column("audio").row(2).numel(), 6);
}

TEST(Memory, AStateThatDoesNotFitIsNamed) {
  Memory memory(MemoryBudget::parse("10"));
  memory.replace(rows(3), {0.1F, 0.2F, 0.3F});
  State state;
  memory.save(state, "m.");
  state.source = "a.safetensors";
  for (const auto& spoil : std::vector<std::function<void(State&)>>{
           [](State& s) { s.put_floats("m.scores", {0.5F}); },
           [](State& s) { s.tensors["m.samples.column.label"] = at::arange(-1, 2, at::kLong); },
           [](State& s) { s.tensors["m.samples.column.label"] = at::zeros({3, 2}, at::kLong); },
           [](State& s) { s.tensors["m.samples.column.image"] = at::zeros({3, 0, 2, 2}, at::kByte); },
           [](State& s) { s.tensors["m.samples.column.image"] = at::zeros({3, 1, 2, 2}); }}) {
    State bad = state;
    spoil(bad);
    Memory other(MemoryBudget::parse("10")), small(MemoryBudget::parse("2"));
    EXPECT_THROW(other.load(bad, "m."), Error);
    EXPECT_THROW(small.load(state, "m."), Error);
  }
}

TEST(Memory, KeepsWhatOfAChoiceFitsItsBytes) {
  Samples all;
  for (int64_t i = 0; i < 20; ++i) all = concat(all, sound(10 * i, 1.0F, i));
  std::vector<int64_t> rows(20);
  std::iota(rows.begin(), rows.end(), int64_t{0});
  std::vector<float> scores(rows.begin(), rows.end());
  Memory memory(MemoryBudget::parse("3KB"));
  memory.keep(all, rows, scores, Random(1, "test"));
  EXPECT_LE(memory.bytes(), 3000);
  EXPECT_GT(memory.bytes(), 2000);
  ASSERT_EQ(memory.scores().size(), static_cast<size_t>(memory.size()));
  for (int64_t i = 0; i < memory.size(); ++i)
    EXPECT_EQ(static_cast<float>(memory.samples().ids()[static_cast<size_t>(i)]),
              memory.scores()[static_cast<size_t>(i)]);
}

TEST(Memory, ScoresGoWithTheRowsThatTheyAreOf) {
  Memory memory(MemoryBudget::parse("10"));
  memory.replace(rows(3), {0.1F, 0.2F, 0.3F});
  memory.put(1, rows(1, 70), 0, Random(1, "test"));
  EXPECT_TRUE(memory.scores().empty());
}

TEST(Memory, SavedAndLoadedIsTheSame) {
  Memory memory(MemoryBudget::parse("10"));
  memory.replace(rows(3, 40), {0.0F, 0.25F, 0.5F});
  State state;
  memory.save(state, "m.");
  Memory other(MemoryBudget::parse("10"));
  other.load(decode_state(encode_state(state), "test"), "m.");
  EXPECT_EQ(other.samples(), memory.samples());
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

TEST(ReplayOrder, RefusesRowsBelowZero) {
  ReplayOrder order(1);
  order.next(2, 10);
  State state;
  order.save(state, "o.");
  state.put_ints("o.order", {3, -1099511627776});
  EXPECT_THROW(ReplayOrder(1).load(state, "o."), Error);
}

TEST(ReplayOrder, SurvivesAMemoryThatShrinks) {
  ReplayOrder order(1);
  order.next(2, 100);
  for (const int64_t row : order.next(50, 4)) EXPECT_LT(row, 4);
}

}  // namespace
}  // namespace perennial
