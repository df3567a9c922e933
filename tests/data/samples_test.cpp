#include "perennial/data/samples.h"

#include <numeric>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "perennial/base/error.h"
#include "perennial/io/state.h"

namespace perennial {
namespace {

using testing::HasSubstr;

std::vector<int64_t> numbers(int64_t n, int64_t first) {
  std::vector<int64_t> out(static_cast<size_t>(n));
  std::iota(out.begin(), out.end(), first);
  return out;
}

/// Row i holds `lengths[i]` boxes [x, y, w, h] of value first + i.
Column boxes(const std::vector<int64_t>& lengths, float first = 0) {
  std::vector<int64_t> offsets{0};
  for (const int64_t length : lengths) offsets.push_back(offsets.back() + length);
  const at::Tensor values = at::zeros({offsets.back(), 4});
  for (size_t i = 0; i < lengths.size(); ++i)
    values.narrow(0, offsets[i], lengths[i]).fill_(first + static_cast<float>(i));
  return {values, std::move(offsets)};
}

Samples drawn(const std::vector<int64_t>& lengths, int64_t first_id = 0) {
  const auto n = std::ssize(lengths);
  return {numbers(n, first_id),
          {{column::kImage, at::arange(n * 12, at::kByte).view({n, 3, 2, 2})},
           {column::kLabel, at::arange(n, at::kLong)},
           {"boxes", boxes(lengths, static_cast<float>(first_id))}}};
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Column, RaggedRowsLieBehindOneAnother) {
  const Column column = boxes({2, 0, 3});
  EXPECT_EQ(column.size(), 3);
  EXPECT_TRUE(column.ragged());
  EXPECT_EQ(column.row(1).sizes(), (at::IntArrayRef{0, 4}));
  EXPECT_EQ(column.row(2).sizes(), (at::IntArrayRef{3, 4}));
  EXPECT_EQ(column.row_bytes(2), 3 * 4 * 4);
  const Column taken = take(column, std::vector<int64_t>{2, 2, 1});
  EXPECT_EQ(taken.offsets(), (std::vector<int64_t>{0, 3, 6, 6}));
  EXPECT_EQ(taken.row(1).min().item<float>(), 2);
  EXPECT_EQ(slice(column, 1, 2), (Column{at::full({3, 4}, 2.0), {0, 0, 3}}));
}

TEST(Column, RefusesOffsetsThatAreNone) {
  const at::Tensor values = at::zeros({4, 2});
  for (const std::vector<int64_t>& offsets :
       std::vector<std::vector<int64_t>>{{}, {0}, {0, 3}, {1, 4}, {0, 3, 2, 4}, {0, 5}})
    EXPECT_THROW(Column(values, offsets), std::invalid_argument);
  EXPECT_THROW(Column(at::zeros({})), std::invalid_argument);
}

TEST(Samples, SayWhatIsMissingOrDoesNotFit) {
  const Samples samples = drawn({1, 2});
  EXPECT_THAT(refusal([&] { samples.tensor("audio"); }),
              HasSubstr("no column 'audio'; there are: boxes, image, label"));
  EXPECT_THAT(refusal([&] { samples.tensor("boxes"); }), HasSubstr("'boxes' is ragged"));
  EXPECT_THAT(refusal([] { Samples({1, 2}, {{"image", at::zeros({3, 1})}}); }),
              HasSubstr("3 rows of 'image' for 2"));
  EXPECT_THAT(refusal([] { Samples({1}, {{"a.b", at::zeros({1, 1})}}); }), HasSubstr("found 'a.b'"));
  EXPECT_THAT(refusal([&] { samples.with(column::kLabel, at::zeros({2, 2})).labels(); }),
              HasSubstr("int64 [N]"));
  EXPECT_THAT(refusal([&] { concat(samples, Samples({1}, {{column::kLabel, at::ones({1}, at::kLong)}})); }),
              HasSubstr("the columns boxes, image, label and others with label"));
  EXPECT_THAT(refusal([&] { concat(samples, samples.with("boxes", at::zeros({2, 4}))); }),
              HasSubstr("no one column"));
  EXPECT_TRUE(Samples().labels().empty());
}

TEST(Samples, BytesAreThoseOfEveryRow) {
  const Samples samples = drawn({1, 0, 5});
  EXPECT_EQ(samples.row_bytes(0), 8 + 12 + 8 + 16);
  EXPECT_EQ(samples.row_bytes(1), 8 + 12 + 8);
  EXPECT_EQ(samples.bytes(), samples.row_bytes(0) + samples.row_bytes(1) + samples.row_bytes(2));
}

// Every function goes over all columns: what is cut and put together again is what it was.
RC_GTEST_PROP(Samples, CutAndPutTogetherAreTheSame, ()) {
  const auto lengths = *rc::gen::container<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, 4));
  const Samples whole = drawn(lengths, 100);
  const int64_t cut = *rc::gen::inRange<int64_t>(0, whole.size() + 1);
  const Samples head = slice(whole, 0, cut), tail = slice(whole, cut, whole.size() - cut);
  RC_ASSERT(concat(head, tail) == whole);
  RC_ASSERT(take(whole, numbers(whole.size(), 0)) == whole);
  RC_ASSERT(take(tail, numbers(tail.size(), 0)) == tail);
  RC_ASSERT(head.bytes() + tail.bytes() == whole.bytes());
  State state;
  save_samples(tail, state, "s.");
  RC_ASSERT(load_samples(decode_state(encode_state(state), "test"), "s.") == tail);
}

TEST(Samples, OfBeforeThereWereColumnsAreRead) {
  State state;
  state.put_ints("s.ids", {4, 5});
  state.tensors["s.inputs"] = at::ones({2, 3, 4, 4}, at::kByte);
  state.tensors["s.targets"] = at::arange(2, at::kLong);
  EXPECT_EQ(load_samples(state, "s."), Samples({4, 5}, {{column::kImage, at::ones({2, 3, 4, 4}, at::kByte)},
                                                        {column::kLabel, at::arange(2, at::kLong)}}));
  state.tensors["s.inputs"] = at::ones({2, 7});
  EXPECT_TRUE(load_samples(state, "s.").has(column::kFeature));
  state.tensors["s.targets"] = at::ones({2, 4, 4}, at::kByte);
  EXPECT_TRUE(load_samples(state, "s.").has(column::kMask));
}

TEST(Samples, AStateThatDoesNotFitIsNamed) {
  State state;
  save_samples(drawn({1, 2}), state, "s.");
  state.source = "a.safetensors";
  for (const auto& spoil : std::vector<std::function<void(State&)>>{
           [](State& s) { s.put_ints("s.offsets.boxes", {0, 9, 3}); },
           [](State& s) { s.tensors["s.column.label"] = at::zeros({5}, at::kLong); },
           [](State& s) { s.tensors.erase("s.column.image"); },
           [](State& s) { s.put("s.columns", std::vector<std::string>{"image", "no such", "label"}); }}) {
    State bad = state;
    spoil(bad);
    try {
      load_samples(bad, "s.");
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("a.safetensors"));
    }
  }
}

}  // namespace
}  // namespace perennial
