#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perennial/data/stream.h"

namespace perennial {

struct Dataset;

/// What a stream is made of, for pictures: how many samples of each class lie in each slice of the stream.
struct StreamComposition {
  struct Row {
    std::string name;  ///< a class, or "task 3: 20 classes" where there are too many for a row each
    std::vector<int64_t> counts;  ///< of each slice
    int64_t total = 0;
  };
  struct Slice {
    int64_t task = 0;  ///< the first task that it touches
    int64_t size = 0;
  };
  std::vector<Row> rows;      ///< in the order in which the tasks bring the classes
  std::vector<Slice> slices;  ///< as many in each task, or whole tasks when there are more tasks than slices
  std::vector<int64_t>
      wrong;  ///< of each task: samples whose label is not the true one; empty when all are true
  int64_t samples = 0;

  /// The largest share of a row in a slice, in [0, 1].
  double largest_share() const;
};

/// At most `slices` slices (at least 1) and, when there are more than `rows` classes, one row for each task's
/// classes.
StreamComposition compose(const Dataset& dataset, const std::vector<Task>& tasks, int64_t slices,
                          int64_t rows);

}  // namespace perennial
