#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "perennial/base/progress.h"
#include "perennial/io/safetensors.h"

namespace perennial {

/// Asks to stop after a number of questions, as Ctrl-C would at some moment.
class StopAfter : public Progress {
 public:
  explicit StopAfter(int questions) : left_(questions) {}
  bool stop_requested() const override { return left_-- <= 0; }

 private:
  mutable int left_;
};

inline void expect_equal_models(const std::filesystem::path& a, const std::filesystem::path& b) {
  const TensorFile first = read_safetensors(a / "model.safetensors"),
                   second = read_safetensors(b / "model.safetensors");
  ASSERT_EQ(first.tensors.size(), second.tensors.size());
  for (const auto& [name, tensor] : first.tensors)
    EXPECT_TRUE(at::equal(tensor, second.tensors.at(name))) << name;
}

inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace perennial
