#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "perennial/io/state.h"

namespace perennial {

/// Labels of the data set <-> rows of a head. Rows are given in the order in which labels are first seen, so
/// that a head holds no row for a class that has not arrived.
class LabelMap {
 public:
  /// Gives new labels a row; true when there were any.
  bool add(std::span<const int64_t> labels);
  int64_t size() const { return static_cast<int64_t>(labels_.size()); }
  bool knows(int64_t label) const {
    return label >= 0 && label < std::ssize(row_of_) && row_of_[static_cast<size_t>(label)] >= 0;
  }
  /// Labels in row order.
  const std::vector<int64_t>& labels() const { return labels_; }
  /// int64 [N] labels -> int64 [N] rows; every label must be known.
  at::Tensor rows(const at::Tensor& labels) const;
  /// [N, L] by label -> [N, size()] by row; labels that are not known, or not below L, count for nothing.
  at::Tensor gather(const at::Tensor& by_label) const;
  /// [N, size()] by row -> [N, max(width, largest label + 1)] by label, `fill` elsewhere.
  at::Tensor scatter(const at::Tensor& by_row, int64_t width, double fill) const;

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  std::vector<int64_t> labels_, row_of_;  // row_of_[label], -1 when unknown
};

}  // namespace perennial
