#include "perennial/data/column.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <fmt/ranges.h>

namespace perennial {
namespace {

void require(bool good, const std::string& what) {
  if (!good) throw std::invalid_argument("a column of samples: expected " + what);
}

// Of one value, as a text: two of a kind can stand behind one another.
std::string kind_of(const Column& column) {
  return fmt::format("{}{} rows of [{}]", column.ragged() ? "ragged " : "",
                     c10::toString(column.values().scalar_type()),
                     fmt::join(column.values().sizes().slice(1), ", "));
}

}  // namespace

Column::Column(const at::Tensor& rows) : values_(rows.contiguous()) {
  require(values_.dim() > 0, "rows, found a scalar");
}

Column::Column(const at::Tensor& values, std::vector<int64_t> offsets)
    : values_(values.contiguous()), offsets_(std::move(offsets)) {
  require(values_.dim() > 0, "rows, found a scalar");
  require(!offsets_.empty() && offsets_.front() == 0 && offsets_.back() == values_.size(0) &&
              std::is_sorted(offsets_.begin(), offsets_.end()),
          fmt::format("offsets that do not fall, from 0 to {}", values_.size(0)));
}

at::Tensor Column::row(int64_t i) const {
  if (i < 0 || i >= size()) throw std::invalid_argument(fmt::format("row {} of {}", i, size()));
  if (!ragged()) return values_.select(0, i);
  const int64_t begin = offsets_[static_cast<size_t>(i)];
  return values_.narrow(0, begin, offsets_[static_cast<size_t>(i) + 1] - begin);
}

int64_t Column::row_bytes(int64_t i) const {
  return ragged() ? static_cast<int64_t>(row(i).nbytes()) : bytes() / std::max<int64_t>(1, size());
}

Column take(const Column& column, std::span<const int64_t> rows) {
  if (!column.ragged()) {
    for (const int64_t row : rows)
      if (row < 0 || row >= column.size())
        throw std::invalid_argument(fmt::format("row {} of {}", row, column.size()));
    return column.values().index_select(0, at::tensor(at::ArrayRef<int64_t>(rows.data(), rows.size())));
  }
  std::vector<at::Tensor> parts{column.values().narrow(0, 0, 0)};
  std::vector<int64_t> offsets{0};
  for (const int64_t row : rows) {
    parts.push_back(column.row(row));
    offsets.push_back(offsets.back() + parts.back().size(0));
  }
  return {at::cat(parts), std::move(offsets)};
}

Column slice(const Column& column, int64_t begin, int64_t count) {
  if (!column.ragged()) return column.values().narrow(0, begin, count);
  const auto first = column.offsets().begin() + begin;
  std::vector<int64_t> offsets(first, first + count + 1);
  const int64_t from = offsets.front(), length = offsets.back() - from;
  for (int64_t& offset : offsets) offset -= from;
  return {column.values().narrow(0, from, length), std::move(offsets)};
}

Column concat(std::span<const Column> columns) {
  std::vector<at::Tensor> parts;
  std::vector<int64_t> offsets;
  for (const Column& column : columns) {
    if (!alike(column, columns.front()))
      throw std::invalid_argument(kind_of(columns.front()) + " and " + kind_of(column) +
                                  " are no one column");
    parts.push_back(column.values());
    if (!column.ragged()) continue;
    if (offsets.empty()) offsets.push_back(0);
    const int64_t behind = offsets.back();
    for (size_t i = 1; i < column.offsets().size(); ++i) offsets.push_back(behind + column.offsets()[i]);
  }
  if (columns.front().ragged()) return {at::cat(parts), std::move(offsets)};
  return at::cat(parts);
}

bool alike(const Column& a, const Column& b) {
  return a.ragged() == b.ragged() && a.values().scalar_type() == b.values().scalar_type() &&
         a.values().sizes().slice(1) == b.values().sizes().slice(1);
}

bool operator==(const Column& a, const Column& b) {
  return a.offsets() == b.offsets() && a.values().scalar_type() == b.values().scalar_type() &&
         at::equal(a.values(), b.values());
}

}  // namespace perennial
