#pragma once

#include <vector>

#include "edge/compile/graph.h"
#include "edge/engine.h"

namespace perennial::edge {

/// Counts of values in bins of equal width around 0, twice as wide whenever a value lies outside.
class Histogram {
 public:
  void add(float value);
  /// That which loses least: the sum of squared differences to the values, over narrower and narrower ranges
  /// that clip what lies beyond.
  ValueRange best_range() const;

 private:
  static constexpr int kBins = 4096;  ///< on either side of 0
  void widen();
  double loss(const ValueRange& range) const;

  float width_ = 1e-6F;  ///< of a bin
  std::vector<uint64_t> counts_ = std::vector<uint64_t>(2 * kBins);
};

/// Finds what Precision::inputs wants: the ranges that the operations' inputs have while a float32 model runs
/// on typical inputs. Fill engine().input(i), call observe(), and again; then ask for ranges().
class Calibrator {
 public:
  explicit Calibrator(const Graph& graph);
  Engine& engine() { return engine_; }
  /// Runs the model. Values that are no numbers are passed over.
  void observe();
  /// Of each operation's input (times its input scale, where it has one); empty ones before the first run.
  std::vector<ValueRange> ranges() const;

 private:
  void see(size_t op);

  std::vector<std::byte> bytes_;
  Engine engine_;
  std::vector<Histogram> seen_;  ///< empty for operations that cannot be integral
};

}  // namespace perennial::edge
