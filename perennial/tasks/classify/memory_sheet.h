#pragma once

#include <limits>
#include <string>

#include "perennial/data/dataset.h"
#include "perennial/io/image.h"
#include "perennial/io/state.h"

namespace perennial {

/// Small pictures of what is in memory, for reports: also when the memory holds features, and when the data
/// that the samples came from are gone.
class MemorySheet {
 public:
  static constexpr int64_t kColumns = 25;

  /// Follows the memory: pictures come from its rows, else from the images of `pictures` (which may be none),
  /// else from what the sheet already shows.
  void update(const Samples& memory, const Dataset* pictures);
  bool empty() const { return ids_.empty(); }
  /// Side of one picture, in pixels.
  int64_t tile() const { return tile_; }
  /// All of them, row by row, kColumns in a row; or at most so many, evenly spaced.
  Image picture(int64_t most = std::numeric_limits<int64_t>::max()) const;

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  std::vector<int64_t> ids_;
  std::vector<uint8_t> pixels_;  // [N][3][tile][tile]
  int64_t tile_ = 0;
};

}  // namespace perennial
