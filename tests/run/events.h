#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "perennial/io/event_file.h"
#include "tests/io/protocol_buffer.h"

namespace perennial {

/// What TensorBoard is shown of a run.
struct Events {
  std::vector<std::tuple<std::string, int64_t, float>> scalars;  // tag, step, value, as written
  std::vector<std::tuple<std::string, int64_t, std::string>> images;

  explicit Events(const std::filesystem::path& run) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(run))
      if (entry.path().filename().string().starts_with("events")) files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1U);
    for (const auto& record : read_event_records(files.at(0))) {
      const Message event(record);
      if (!event.has(5)) continue;
      const Message value = event.message(5).message(1);
      const int64_t step = event.has(2) ? event.as<int64_t>(2) : 0;
      if (value.has(2))
        scalars.emplace_back(value.bytes(1), step, value.as<float>(2));
      else
        images.emplace_back(value.bytes(1), step, value.message(4).bytes(4));
    }
  }
  std::map<std::string, std::vector<int64_t>> steps() const {
    std::map<std::string, std::vector<int64_t>> all;
    for (const auto& [tag, step, value] : scalars) all[tag].push_back(step);
    return all;
  }
  float last(const std::string& wanted) const {
    float last = std::numeric_limits<float>::quiet_NaN();
    for (const auto& [tag, step, value] : scalars)
      if (tag == wanted) last = value;
    return last;
  }
  /// Without those that depend on the clock.
  std::vector<std::tuple<std::string, int64_t, float>> certain() const {
    auto all = scalars;
    for (auto& [tag, step, value] : all)
      if (tag.ends_with("_per_second")) value = 0;
    return all;
  }
};

}  // namespace perennial
