#include "perennial/memory/row_store.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

namespace perennial {
namespace {

Column ragged_column(const at::Tensor& none, const std::vector<at::Tensor>& all,
                     std::span<const int64_t> rows) {
  std::vector<at::Tensor> parts{none};
  std::vector<int64_t> offsets{0};
  for (const int64_t row : rows) {
    parts.push_back(all[static_cast<size_t>(row)]);
    offsets.push_back(offsets.back() + parts.back().size(0));
  }
  return {at::cat(parts), std::move(offsets)};
}

at::Tensor with_room(const at::Tensor& tensor, int64_t used, int64_t rows) {
  std::vector<int64_t> shape = tensor.sizes().vec();
  shape[0] = rows;
  at::Tensor grown = at::empty(shape, tensor.options());
  grown.narrow(0, 0, used).copy_(tensor.narrow(0, 0, used));
  return grown;
}

}  // namespace

RowStore::RowStore(Samples samples) : ids_(samples.ids()), bytes_(samples.bytes()) {
  bool any_ragged = false;
  for (const auto& [name, column] : samples.columns()) {
    Rows& rows = columns_[name];
    any_ragged |= rows.is_ragged = column.ragged();
    rows.tensor = rows.is_ragged ? column.values().narrow(0, 0, 0).clone() : column.values();
    for (int64_t i = 0; rows.is_ragged && i < size(); ++i) rows.ragged.push_back(column.row(i).clone());
  }
  if (!any_ragged) whole_ = std::move(samples);  // ragged rows would be held twice
}

std::span<const int64_t> RowStore::labels() const {
  if (size() == 0) return {};
  const auto found = columns_.find(column::kLabel);
  if (found == columns_.end() || found->second.is_ragged || found->second.tensor.dim() != 1 ||
      found->second.tensor.scalar_type() != at::kLong)
    throw std::invalid_argument("these samples have no class labels");
  return {found->second.tensor.const_data_ptr<int64_t>(), ids_.size()};
}

int64_t RowStore::row_bytes(int64_t row) const {
  int64_t bytes = sizeof(int64_t);
  for (const auto& [name, rows] : columns_)
    bytes += static_cast<int64_t>(rows.is_ragged
                                      ? rows.ragged[static_cast<size_t>(row)].nbytes()
                                      : rows.tensor.nbytes() / static_cast<size_t>(rows.tensor.size(0)));
  return bytes;
}

const Samples& RowStore::samples() const {
  if (whole_) return *whole_;
  std::vector<int64_t> all(ids_.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  Samples::Columns columns;
  for (const auto& [name, rows] : columns_)
    columns.emplace(name, rows.is_ragged ? ragged_column(rows.tensor, rows.ragged, all)
                                         : Column(rows.tensor.narrow(0, 0, size())));
  return whole_.emplace(ids_, std::move(columns));
}

Samples RowStore::take(std::span<const int64_t> rows) const {
  if (rows.empty()) return {};
  std::vector<int64_t> ids;
  for (const int64_t row : rows) {
    if (row < 0 || row >= size()) throw std::invalid_argument(fmt::format("row {} of {}", row, size()));
    ids.push_back(ids_[static_cast<size_t>(row)]);
  }
  const at::Tensor index = at::tensor(at::ArrayRef<int64_t>(rows.data(), rows.size()));
  Samples::Columns columns;
  for (const auto& [name, own] : columns_)
    columns.emplace(name, own.is_ragged ? ragged_column(own.tensor, own.ragged, rows)
                                        : Column(own.tensor.index_select(0, index)));
  return {std::move(ids), std::move(columns)};
}

void RowStore::require_like(const Samples& samples) const {
  if (size() == 0) return;
  const bool same = samples.columns().size() == columns_.size() &&
                    std::equal(columns_.begin(), columns_.end(), samples.columns().begin(),
                               [](const auto& own, const auto& other) {
                                 const Rows& rows = own.second;
                                 const at::Tensor& values = other.second.values();
                                 return own.first == other.first && rows.is_ragged == other.second.ragged() &&
                                        rows.tensor.scalar_type() == values.scalar_type() &&
                                        rows.tensor.sizes().slice(1) == values.sizes().slice(1);
                               });
  if (!same) throw std::invalid_argument("a sample with other columns than those that are here");
}

void RowStore::append(const Samples& from, int64_t row, int64_t most) {
  constexpr int64_t kLeast = 16;
  require_like(from);
  if (size() == 0) columns_.clear();
  for (const auto& [name, column] : from.columns()) {
    Rows& rows = columns_[name];
    if (size() == 0) rows = {column.values().narrow(0, 0, 0).clone(), {}, column.ragged()};
    if (rows.is_ragged) {
      rows.ragged.push_back(column.row(row).clone());
      continue;
    }
    if (rows.tensor.size(0) == size())
      rows.tensor =
          with_room(rows.tensor, size(), std::max(size() + 1, std::min(most, std::max(kLeast, 2 * size()))));
    rows.tensor.select(0, size()).copy_(column.row(row));
  }
  ids_.push_back(from.ids()[static_cast<size_t>(row)]);
  bytes_ += from.row_bytes(row);
  whole_.reset();
}

void RowStore::overwrite(int64_t at, const Samples& from, int64_t row) {
  require_like(from);
  bytes_ += from.row_bytes(row) - row_bytes(at);
  for (const auto& [name, column] : from.columns()) {
    Rows& rows = columns_[name];
    if (rows.is_ragged)
      rows.ragged[static_cast<size_t>(at)] = column.row(row).clone();
    else
      rows.tensor.select(0, at).copy_(column.row(row));
  }
  ids_[static_cast<size_t>(at)] = from.ids()[static_cast<size_t>(row)];
  whole_.reset();
}

void RowStore::remove(int64_t at) {
  bytes_ -= row_bytes(at);
  for (auto& [name, rows] : columns_) {
    if (rows.is_ragged) {
      std::swap(rows.ragged[static_cast<size_t>(at)], rows.ragged.back());
      rows.ragged.pop_back();
    } else if (at + 1 < size()) {
      rows.tensor.select(0, at).copy_(rows.tensor.select(0, size() - 1));
    }
  }
  ids_[static_cast<size_t>(at)] = ids_.back();
  ids_.pop_back();
  whole_.reset();
}

}  // namespace perennial
