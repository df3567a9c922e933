#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace perennial {

/// What a number of samples have of one kind, a row each: images, labels, masks (rows of one tensor), or rows
/// of different lengths (audio, tokens, boxes), which lie behind one another. A value: copies share the
/// tensor. Contiguous, on the CPU.
class Column {
 public:
  /// Row i is rows[i]: [N, ...]. Throws std::invalid_argument for a scalar.
  Column(const at::Tensor& rows);  // NOLINT(google-explicit-constructor): a tensor of rows is a column
  /// Ragged: row i is values[offsets[i]] to values[offsets[i + 1]], the last one not included. `offsets`: N +
  /// 1 numbers that do not fall, from 0 to values.size(0). Throws std::invalid_argument.
  Column(const at::Tensor& values, std::vector<int64_t> offsets);

  int64_t size() const { return ragged() ? std::ssize(offsets_) - 1 : values_.size(0); }
  bool ragged() const { return !offsets_.empty(); }
  /// [N, ...]; of a ragged column all rows, one behind the other.
  const at::Tensor& values() const { return values_; }
  /// Empty unless the column is ragged.
  const std::vector<int64_t>& offsets() const { return offsets_; }
  /// A view of row i: without the first axis, or of a ragged column [length, ...]. std::invalid_argument
  /// unless there is such a row.
  at::Tensor row(int64_t i) const;

  int64_t bytes() const { return static_cast<int64_t>(values_.nbytes()); }
  int64_t row_bytes(int64_t i) const;

 private:
  at::Tensor values_;
  std::vector<int64_t> offsets_;
};

/// The rows, copied, in that order. std::invalid_argument unless all are there.
Column take(const Column& column, std::span<const int64_t> rows);
/// `count` rows from `begin`: a view.
Column slice(const Column& column, int64_t begin, int64_t count);
/// All rows of all columns, at least one. Throws std::invalid_argument unless they are of one type and their
/// rows of one shape.
Column concat(std::span<const Column> columns);
bool operator==(const Column& a, const Column& b);
/// Whether rows of both can stand in one column: equally ragged, of one type and shape.
bool alike(const Column& a, const Column& b);

}  // namespace perennial
