#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "perennial/io/state.h"

namespace perennial {

/// The checkpoints of a run: numbered files in one folder, each written whole or not at all, the last two
/// kept.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Writes the next one, then removes all but the last two. On Error (a full disk) the earlier ones stay.
  void write(const State& state);
  /// The newest that is whole. Damaged ones are passed over, each with a call of `warn`. Error when there is
  /// none.
  State read(const std::function<void(const std::string&)>& warn) const;
  bool empty() const;

 private:
  std::vector<std::pair<int64_t, std::filesystem::path>> list() const;  // oldest first
  std::filesystem::path folder_;
};

}  // namespace perennial
