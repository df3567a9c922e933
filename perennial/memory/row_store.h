#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perennial/data/samples.h"

namespace perennial {

/// Samples that change row by row: what comes is copied, and nothing else is. Tensors have room to grow;
/// ragged rows lie apart until all are asked for.
class RowStore {
 public:
  RowStore() = default;
  /// Takes over the tensors of `samples`, which nobody else may change.
  explicit RowStore(Samples samples);
  RowStore(RowStore&&) = default;
  RowStore& operator=(RowStore&&) = default;

  int64_t size() const { return std::ssize(ids_); }
  int64_t bytes() const { return bytes_; }
  int64_t row_bytes(int64_t row) const;
  const std::vector<int64_t>& ids() const { return ids_; }
  /// Of each row; std::invalid_argument when there is no column of labels.
  std::span<const int64_t> labels() const;
  /// All rows: views, which see what is written over them later. Good until the next change; not to be asked
  /// for by several threads at once.
  const Samples& samples() const;
  /// The rows, copied, in that order.
  Samples take(std::span<const int64_t> rows) const;

  /// Throws std::invalid_argument, and nothing changes, unless `samples` have the columns that are here.
  void require_like(const Samples& samples) const;
  /// These require it. `most`: rows there may ever be.
  void append(const Samples& from, int64_t row, int64_t most);
  void overwrite(int64_t at, const Samples& from, int64_t row);
  /// The last row takes its place.
  void remove(int64_t at);

 private:
  struct Rows {
    at::Tensor tensor;               ///< [room, ...]
    std::vector<at::Tensor> ragged;  ///< or a tensor a row; the tensor above is then empty, of their kind
    bool is_ragged = false;
  };
  std::vector<int64_t> ids_;
  std::map<std::string, Rows, std::less<>> columns_;
  int64_t bytes_ = 0;
  mutable std::optional<Samples> whole_;
};

}  // namespace perennial
