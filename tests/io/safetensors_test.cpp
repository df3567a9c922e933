#include "perennial/io/safetensors.h"

#include <filesystem>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/bytes.h"
#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/state.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

std::string with_header(const std::string& header, const std::string& data) {
  std::string out;
  append_le<uint64_t>(out, header.size());
  return out + header + data;
}

void expect_refused(const std::string& bytes, const std::string& why) {
  try {
    decode_safetensors(bytes, "hostile");
    ADD_FAILURE() << "accepted, though: " << why;
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(why));
    EXPECT_THAT(e.what(), testing::HasSubstr("hostile"));
  }
}

TensorFile sample() {
  TensorFile file;
  file.tensors["weight"] = at::arange(6, at::kFloat).reshape({2, 3}).t();  // not contiguous
  file.tensors["empty"] = at::empty({0, 4}, at::kLong);
  file.tensors["scalar"] = at::ones({}, at::kBFloat16);
  file.tensors["flags"] = at::ones({3}, at::kBool);
  file.metadata["note"] = "quotes \" and lines\n";
  return file;
}

TEST(Safetensors, RoundTripKeepsValuesShapesTypesAndMetadata) {
  const TensorFile in = sample();
  const TensorFile out = decode_safetensors(encode_safetensors(in), "memory");
  EXPECT_EQ(out.metadata, in.metadata);
  ASSERT_EQ(out.tensors.size(), in.tensors.size());
  for (const auto& [name, tensor] : in.tensors) {
    EXPECT_EQ(out.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(out.tensors.at(name), tensor)) << name;
  }
}

TEST(Safetensors, HeaderIsAlignedToEightBytes) {
  const std::string bytes = encode_safetensors(sample());
  EXPECT_EQ(load_le<uint64_t>(bytes.data()) % 8, 0U);
}

TEST(Safetensors, RefusesHostileHeaders) {
  const std::string f32 = R"("dtype":"F32","shape":[1],"data_offsets":)";
  expect_refused("1234567", "at least 8 bytes");
  expect_refused(std::string(8, '\xff') + "{}", "a header of at most");
  expect_refused(with_header("[]", ""), "a JSON object as header");
  expect_refused(with_header("{", ""), "a JSON header");
  expect_refused(with_header("{\"a\":{" + f32 + "[0,4]},\"a\":{" + f32 + "[4,8]}}", std::string(8, 'x')),
                 "'a' twice");
  expect_refused(with_header("{\"a\":{" + f32 + "[0,4]},\"b\":{" + f32 + "[2,6]}}", std::string(6, 'x')),
                 "to begin at data byte 4");
  expect_refused(with_header("{\"a\":{" + f32 + "[0,4]},\"b\":{" + f32 + "[8,12]}}", std::string(12, 'x')),
                 "to begin at data byte 4");
  expect_refused(with_header("{\"a\":{" + f32 + "[0,4]}}", std::string(9, 'x')), "4 data bytes");
  expect_refused(with_header("{\"a\":{" + f32 + "[0,8]}}", std::string(4, 'x')),
                 "to lie in the 4 data bytes");
  expect_refused(with_header("{\"a\":{" + f32 + "[4,0]}}", std::string(4, 'x')), "to lie in");
  expect_refused(with_header("{\"a\":{" + f32 + "[0,-4]}}", std::string(4, 'x')), "whole number");
  expect_refused(with_header(R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", "xxxx"),
                 "a known dtype");
  expect_refused(
      with_header(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", "xxxx"),
      "address space");
  expect_refused(with_header(R"({"__metadata__":{"a":1}})", ""), "to be text");
  expect_refused(with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "xxxx"),
                 "8 bytes for 'a'");
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string bytes = encode_safetensors(sample());
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_THROW(decode_safetensors(bytes.substr(0, n), "cut"), Error) << n;
}

TEST(Safetensors, MissingFileIsNamed) {
  EXPECT_THROW(
      {
        try {
          read_safetensors("/nonexistent/model.safetensors");
        } catch (const Error& e) {
          EXPECT_EQ(e.context().path, "/nonexistent/model.safetensors");
          throw;
        }
      },
      Error);
}

// Time in proportion: forty thousand tensors took 13 seconds to read, and as many squares to write.
TEST(Safetensors, ManyTensorsTakeLittleTime) {
  TensorFile file;
  for (int i = 0; i < 40'000; ++i) file.tensors.emplace("t" + std::to_string(i), at::empty({0}));
  const double begin = thread_seconds();
  const std::string bytes = encode_safetensors(file);
  EXPECT_EQ(decode_safetensors(bytes, "many").tensors.size(), 40'000U);
  EXPECT_LT(thread_seconds() - begin, 3);
}

TEST(Safetensors, MappedTensorsAreThoseOfTheFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "w.safetensors", sample());
  EXPECT_EQ(read_file(folder / "w.safetensors"), encode_safetensors(sample()));
  const TensorFile read = read_safetensors(folder / "w.safetensors");
  TensorFile mapped = map_safetensors(folder / "w.safetensors");
  EXPECT_EQ(mapped.metadata, read.metadata);
  for (const auto& [name, tensor] : read.tensors) {
    EXPECT_TRUE(at::equal(mapped.tensors.at(name), tensor)) << name;
    EXPECT_EQ(mapped.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
  }
  // Behind the flags (3 bytes) and the scalar (2), numbers do not lie at multiples of their size.
  const auto at = reinterpret_cast<uintptr_t>(mapped.tensors.at("weight").const_data_ptr());
  EXPECT_EQ(at % sizeof(float), 0U) << "copied";

  const at::Tensor flags = mapped.tensors.at("flags");
  mapped = {};
  std::filesystem::remove(folder / "w.safetensors");
  EXPECT_TRUE(flags.all().item<bool>()) << "what is mapped stays as long as one tensor lives";
}

TEST(Safetensors, WhatIsWrittenToMappedTensorsIsNotInTheFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "w.safetensors", {{{"w", at::ones({1000})}}, {}});
  const at::Tensor w = map_safetensors(folder / "w.safetensors").tensors.at("w");
  w.fill_(7);
  EXPECT_EQ(w.sum().item<float>(), 7000);
  EXPECT_EQ(read_safetensors(folder / "w.safetensors").tensors.at("w").sum().item<float>(), 1000);
}

TEST(State, GoesStraightToAFileAsItIsEncoded) {
  const TemporaryFolder folder;
  State state;
  state.tensors = sample().tensors;
  state.put("step", int64_t{12});
  write_state(folder / "state", state);
  const std::string bytes = read_file(folder / "state");
  EXPECT_EQ(bytes, encode_state(state));
  const State again = decode_state(bytes, "state");
  EXPECT_EQ(again.value<int64_t>("step"), 12);
  EXPECT_TRUE(at::equal(again.tensor("weight"), state.tensor("weight")));
  for (const size_t at : {bytes.find("values"), bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    EXPECT_THROW(decode_state(damaged, "state"), Error) << at;
  }
}

}  // namespace
}  // namespace perennial
