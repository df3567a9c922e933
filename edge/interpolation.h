#pragma once

#include <cstdint>
#include <vector>

#include "edge/budget.h"

namespace perennial::edge {

/// Between which samples of one side those of another lie, and how near the next: torch's bilinear
/// interpolation. With kSlack behind, for whole vectors.
struct Interpolation {
  std::vector<int32_t> index;
  std::vector<float> share;
};

/// The tables of a model's resizes; operations between sides alike share them.
class InterpolationTables {
 public:
  struct Pair {
    uint32_t across = 0, down = 0;
  };
  /// Throws BadModel, before anything is allocated, when they would not fit.
  InterpolationTables(const Model& model, Budget& budget);
  const Interpolation& across(size_t op) const { return tables_[of_op_[op].across]; }
  const Interpolation& down(size_t op) const { return tables_[of_op_[op].down]; }

 private:
  std::vector<Interpolation> tables_;
  std::vector<Pair> of_op_;  ///< of each operation; of no meaning but for resizes
};

}  // namespace perennial::edge
