#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ops/zeros.h>

#include "perennial/data/dataset.h"

namespace perennial::testing {

/// A set with the given number of samples in each class, classes interleaved; pixel 0 of a sample tells its
/// row.
inline Dataset toy_set(const std::vector<int64_t>& per_class) {
  Dataset set;
  set.name = "toy";
  int64_t most = 0;
  for (size_t c = 0; c < per_class.size(); ++c) {
    set.class_names.push_back("class " + std::string(1, static_cast<char>('a' + c % 26)) +
                              (c < 26 ? "" : std::to_string(c)));
    most = std::max(most, per_class[c]);
  }
  for (int64_t i = 0; i < most; ++i)
    for (size_t c = 0; c < per_class.size(); ++c)
      if (i < per_class[c]) set.labels.push_back(static_cast<int64_t>(c));
  for (size_t i = 0; i < set.labels.size(); ++i) set.ids.push_back(1000 + static_cast<int64_t>(i));
  set.inputs = at::zeros({set.size(), 1, 2, 2}, at::kByte);
  for (int64_t i = 0; i < set.size(); ++i) set.inputs.data_ptr<uint8_t>()[4 * i] = static_cast<uint8_t>(i);
  return set;
}

inline Dataset toy_set(int64_t classes, int64_t each) {
  return toy_set(std::vector<int64_t>(static_cast<size_t>(classes), each));
}

}  // namespace perennial::testing
