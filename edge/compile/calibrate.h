#pragma once

#include <vector>

#include "edge/compile/graph.h"
#include "edge/engine.h"

namespace perennial::edge {

/// Finds what Precision::inputs wants: the ranges that the operations' inputs have while a float32 model runs
/// on typical inputs. Fill engine().input(i), call observe(), and again; then ask for ranges().
class Calibrator {
 public:
  explicit Calibrator(const Graph& graph);
  Engine& engine() { return engine_; }
  /// Runs the model. Values that are no numbers are passed over.
  void observe();
  /// Of each operation's input (times its input scale, where it has one); empty ones before the first run.
  std::vector<Range> ranges() const;

 private:
  struct Seen {
    float low = 0, high = 0;
  };
  void see(size_t op);

  std::vector<std::byte> bytes_;
  Engine engine_;
  std::vector<Seen> seen_;
};

}  // namespace perennial::edge
