#include "edge/model.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "edge/compile/compile.h"
#include "edge/engine.h"
#include "edge/nets/sinet.h"
#include "tests/edge/allocations.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

std::vector<std::byte> small_model(Dtype weights = Dtype::kFloat32) {
  Graph g(naive::random_weight);
  const Value x = g.conv("in", g.input("x", 3, 8, 8), {4, 3, 3}), deep = g.conv("deep", x, {4, 3, 3, 1, 4});
  g.output("y", g.add(g.resize(g.conv("low", g.pool(deep, 2), {4}), 2, true), x));
  g.output("z", g.dense("dense", g.means(x), 5, true));
  g.output("w", g.dense("flat", g.flatten(g.max_pool(deep, 3, 2)), 2, true));
  g.label("w", {"one", "two"});
  for (Node& node : g.nodes()) node.range = range_of(-1, 1);
  return compile(g, {weights, {}});
}

// Makes the checksum fit again, as an attacker would.
void reseal(std::vector<std::byte>& bytes) {
  const uint64_t fits = seal(bytes.data(), bytes.size());
  std::memcpy(bytes.data() + offsetof(Header, checksum), &fits, sizeof fits);
}

std::string error_of(const std::vector<std::byte>& bytes) {
  try {
    Engine engine(Model::from_memory(bytes, "m"));
    engine.fill_inputs(1);
    engine.run();
  } catch (const BadModel& e) {
    return e.what();
  }
  return "";
}

TEST(Model, EveryTruncationIsAnError) {
  const auto whole = small_model();
  for (size_t size = 0; size < whole.size(); size += 7)
    EXPECT_NE(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
  EXPECT_EQ(error_of(whole), "");
}

TEST(Model, EveryFlippedBitIsFound) {
  const auto whole = small_model();
  for (size_t i = 0; i < whole.size() * 8; i += 13) {
    auto bytes = whole;
    bytes[i / 8] ^= std::byte{1} << (i % 8);
    EXPECT_NE(error_of(bytes), "") << i;
  }
}

TEST(Model, SaysWhatIsWrong) {
  auto bytes = small_model();
  EXPECT_EQ(error_of({}), "m: expected a .peb model, found a file of 0 bytes");
  bytes[0] = std::byte{'X'};
  EXPECT_EQ(error_of(bytes), "m: expected a .peb model, found another kind of file");
  bytes = small_model();
  bytes[8] = std::byte{9};
  EXPECT_EQ(error_of(bytes), "m: expected format version 2 to 4, found 9");
  bytes = small_model();
  bytes.back() ^= std::byte{1};
  EXPECT_EQ(error_of(bytes), "m: the checksum does not fit: the file is damaged");
}

// Hostile numbers under a good checksum: an error or a run inside the arena (the sanitizers watch), never a
// crash.
class Hostile : public testing::TestWithParam<Dtype> {};

TEST_P(Hostile, RecordsAreRefusedOrHarmless) {
  const auto whole = small_model(GetParam());
  Header h;
  std::memcpy(&h, whole.data(), sizeof h);
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    auto bytes = whole;
    const size_t records = weights_at(h) - sizeof h;
    const uint32_t values[] = {0,
                               1,
                               2,
                               0xffffffff,
                               0x7fffffff,
                               1u << 20,
                               static_cast<uint32_t>(random() % 64),
                               static_cast<uint32_t>(random())};
    const size_t at = sizeof h + random() % (records / 4) * 4;
    std::memcpy(bytes.data() + at, &values[random() % 8], 4);
    reseal(bytes);
    refused += error_of(bytes).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 1000);
}

INSTANTIATE_TEST_SUITE_P(Model, Hostile, testing::Values(Dtype::kFloat32, Dtype::kBfloat16, Dtype::kInt8));

// A file of resizes, each of a row of `from(i)` columns to 65,536.
template <class From>
std::vector<std::byte> resizes(uint32_t count, From from) {
  Header h{};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  h.version = kPlainVersion, h.tensors = count + 1, h.ops = count, h.name_bytes = 1, h.arena = 3 << 16;
  std::vector<std::byte> bytes(weights_at(h));
  std::byte* at = bytes.data() + sizeof h;
  const auto append = [&at](const auto& record) {
    std::memcpy(at, &record, sizeof record);
    at += sizeof record;
  };
  append(TensorRecord{1, 1, 1 << 16, 0, 1 << 17});
  for (uint32_t i = 0; i < count; ++i) append(TensorRecord{1, 1, from(i), 0, 0});
  OpRecord op{};
  op.kind = OpKind::kResize;
  op.second = op.skip = op.input_scale = kNoTensor;
  op.weight = op.bias = op.slope = op.skip_scale = op.weight_step = kNoWeight;
  for (op.input = 1; op.input <= count; ++op.input) append(op);
  std::memcpy(bytes.data(), &h, sizeof h);
  reseal(bytes);
  return bytes;
}

TEST(Model, TablesAlikeAreShared) {
  const auto bytes = resizes(20'000, [](uint32_t) { return 1U; });
  const Engine engine(Model::from_memory(bytes));
  EXPECT_LT(engine.budget().taken(), 4 * bytes.size());
}

TEST(Model, WhatDoesNotFitIsRefusedBeforeItIsTaken) {
  const auto bytes = resizes(20'000, [](uint32_t i) { return i + 1; });  // ten gigabytes of tables
  EXPECT_THROW(Engine(Model::from_memory(bytes)), BadModel);
  EXPECT_THROW(Engine(Model::from_memory(bytes), best_kernels(), 1 << 26), BadModel);
  EXPECT_THROW(Model::from_memory(bytes, "m", 1 << 20), BadModel);
}

// A file may give thousands of ports one long name.
TEST(Model, NamesOfInputsAreNotCopied) {
  constexpr int kInputs = 64;
  constexpr size_t kLong = 10'000;
  Graph g(naive::random_weight);
  std::vector<Value> inputs;
  for (int i = 0; i < kInputs; ++i)
    inputs.push_back(g.conv("c", g.input(std::to_string(i) + std::string(kLong, 'x'), 1, 2, 2), {1}));
  g.output("y", g.concat(inputs));
  Model model = Model::from_memory(compile(g));
  const size_t before = allocated_bytes();
  Engine engine(std::move(model));
  EXPECT_LT(allocated_bytes() - before, kLong * kInputs / 4);
  try {
    engine.run();
    ADD_FAILURE() << "nothing was written";
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("input 0xxx"), std::string::npos) << e.what();
  }
}

TEST(Model, AFileThatIsNotThereIsASystemError) {
  EXPECT_THROW(Model::from_file("/nonexistent/model.peb"), std::system_error);
}

}  // namespace
}  // namespace perennial::edge
