#pragma once

#include <functional>
#include <span>
#include <string>

#include "perennial/base/progress.h"
#include "perennial/io/state.h"

namespace perennial {

/// Epochs over shuffled samples, each of which may be interrupted between two batches and go on there later.
class EpochOrder {
 public:
  /// A batch: its rows, and which of how many of the epoch it is.
  using Work = std::function<void(std::span<const int64_t> rows, int64_t index, int64_t batches)>;

  /// Orders are drawn from `seed` for `purpose`.
  EpochOrder(uint64_t seed, std::string purpose) : seed_(seed), purpose_(std::move(purpose)) {}

  /// Calls `work` for each batch that is left of the epoch over `samples`, `batch` at a time. `began` draws
  /// the order and is to differ from epoch to epoch; when an epoch goes on, that of its beginning counts.
  /// Throws Interrupted when asked to stop.
  void run(int64_t samples, int64_t batch, int64_t began, const std::string& title, Progress& progress,
           const Work& work);
  /// True when an epoch was interrupted.
  bool inside() const { return at_ > 0; }

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  uint64_t seed_;
  std::string purpose_;
  int64_t at_ = 0;     ///< batches done of the epoch that was interrupted, or 0
  int64_t began_ = 0;  ///< what its order was drawn with
};

}  // namespace perennial
