#include "perennial/data/samples.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/ranges.h>

#include "perennial/base/error.h"
#include "perennial/io/state.h"

namespace perennial {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string names_of(const Samples& samples) {
  std::vector<std::string> names;
  for (const auto& [name, column] : samples.columns()) names.push_back(name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

/// The same of every column.
template <class Change>
Samples each(std::span<const int64_t> ids, const Samples& samples, const Change& change) {
  if (ids.empty()) return {};
  Samples::Columns columns;
  for (const auto& [name, column] : samples.columns()) columns.emplace(name, change(column));
  return {{ids.begin(), ids.end()}, std::move(columns)};
}

Samples concat_filled(std::span<const Samples* const> parts) {
  std::vector<const Samples*> filled;
  for (const Samples* part : parts)
    if (!part->empty()) filled.push_back(part);
  if (filled.empty()) return {};
  const Samples& first = *filled.front();
  if (filled.size() == 1) return first;
  std::vector<int64_t> ids;
  for (const Samples* part : filled) {
    const bool same =
        std::equal(part->columns().begin(), part->columns().end(), first.columns().begin(),
                   first.columns().end(), [](const auto& a, const auto& b) { return a.first == b.first; });
    if (!same)
      throw std::invalid_argument("samples with the columns " + names_of(first) + " and others with " +
                                  names_of(*part));
    ids.insert(ids.end(), part->ids().begin(), part->ids().end());
  }
  Samples::Columns columns;
  for (const auto& [name, column] : first.columns()) {
    std::vector<Column> of_all;
    for (const Samples* part : filled) of_all.push_back(part->column(name));
    columns.emplace(name, concat(of_all));
  }
  return {std::move(ids), std::move(columns)};
}

// Of a file: what the columns that every room knows must be. Throws std::invalid_argument.
void require_known(const Samples& samples) {
  const auto require = [&](const char* name, bool good, const char* what) {
    if (!good) throw std::invalid_argument(fmt::format("'{}' is not {}", name, what));
  };
  for (const auto& entry : samples.columns()) {
    const std::string& name = entry.first;
    const bool ragged = entry.second.ragged();
    const at::Tensor& t = entry.second.values();
    const auto is = [&t, ragged](at::ScalarType type, int64_t rank) {
      return !ragged && t.scalar_type() == type && t.dim() == rank && t.numel() > 0;
    };
    if (name == column::kLabel)
      require(column::kLabel, is(at::kLong, 1) && t.min().item<int64_t>() >= 0, "int64 [N] from 0");
    if (name == column::kImage)
      require(column::kImage, is(at::kByte, 4) && (t.size(1) == 1 || t.size(1) == 3),
              "uint8 [N, 1 or 3, H, W]");
    if (name == column::kMask) require(column::kMask, is(at::kByte, 3), "uint8 [N, H, W]");
    if (name == column::kVector) require(column::kVector, is(at::kFloat, 2), "float32 [N, D]");
    if (name == column::kFeature) require(column::kFeature, is(at::kFloat, 2), "float32 [N, D]");
  }
}

// Before there were columns: inputs and targets, told apart by their shapes.
Samples load_inputs_and_targets(const std::vector<int64_t>& ids, const State& state,
                                const std::string& prefix) {
  const at::Tensor inputs = state.tensor(prefix + "inputs"), targets = state.tensor(prefix + "targets");
  const bool images = inputs.dim() == 4, labels = targets.dim() == 1;
  return {ids,
          {{images ? column::kImage : column::kFeature, inputs},
           {labels ? column::kLabel : column::kMask, targets}}};
}

Samples load_columns(const std::vector<int64_t>& ids, const State& state, const std::string& prefix) {
  Samples::Columns columns;
  for (const auto& name : state.value<std::vector<std::string>>(prefix + "columns")) {
    const at::Tensor values = state.tensor(prefix + "column." + name);
    const bool ragged = state.has_tensor(prefix + "offsets." + name);
    columns.emplace(name, ragged ? Column(values, state.ints(prefix + "offsets." + name)) : Column(values));
  }
  return {ids, std::move(columns)};
}

}  // namespace

Samples::Samples(std::vector<int64_t> ids, Columns columns)
    : ids_(std::move(ids)), columns_(std::move(columns)) {
  for (const auto& [name, column] : columns_) {
    if (!is_name(name))
      throw std::invalid_argument("a column's name is of a-z, 0-9 and _; found '" + name + "'");
    if (column.size() != size())
      throw std::invalid_argument(fmt::format("{} rows of '{}' for {} samples", column.size(), name, size()));
  }
  if (empty()) columns_.clear();
}

const Column& Samples::column(std::string_view name) const {
  const auto found = columns_.find(name);
  if (found == columns_.end())
    throw std::invalid_argument(
        fmt::format("these samples have no column '{}'; there are: {}", name, names_of(*this)));
  return found->second;
}

const at::Tensor& Samples::tensor(std::string_view name) const {
  const Column& found = column(name);
  if (found.ragged()) throw std::invalid_argument(fmt::format("the column '{}' is ragged", name));
  return found.values();
}

std::span<const int64_t> Samples::labels() const {
  if (empty()) return {};
  const at::Tensor& labels = tensor(column::kLabel);
  if (labels.dim() != 1 || labels.scalar_type() != at::kLong)
    throw std::invalid_argument("class labels are int64 [N]; these are not");
  return {labels.const_data_ptr<int64_t>(), ids_.size()};
}

Samples Samples::with(const std::string& name, Column column) const {
  Columns columns = columns_;
  columns.insert_or_assign(name, std::move(column));
  return {ids_, std::move(columns)};
}

int64_t Samples::bytes() const {
  auto bytes = static_cast<int64_t>(ids_.size() * sizeof(int64_t));
  for (const auto& [name, column] : columns_) bytes += column.bytes();
  return bytes;
}

int64_t Samples::row_bytes(int64_t i) const {
  int64_t bytes = sizeof(int64_t);
  for (const auto& [name, column] : columns_) bytes += column.row_bytes(i);
  return bytes;
}

Samples take(const Samples& samples, std::span<const int64_t> rows) {
  std::vector<int64_t> ids;
  ids.reserve(rows.size());
  for (const int64_t row : rows) {
    if (row < 0 || row >= samples.size())
      throw std::invalid_argument(fmt::format("row {} of {} samples", row, samples.size()));
    ids.push_back(samples.ids()[static_cast<size_t>(row)]);
  }
  return each(ids, samples, [&](const Column& column) { return take(column, rows); });
}

Samples slice(const Samples& samples, int64_t begin, int64_t count) {
  const std::span ids =
      std::span(samples.ids()).subspan(static_cast<size_t>(begin), static_cast<size_t>(count));
  return each(ids, samples, [&](const Column& column) { return slice(column, begin, count); });
}

Samples concat(std::span<const Samples> parts) {
  std::vector<const Samples*> all;
  for (const Samples& part : parts) all.push_back(&part);
  return concat_filled(all);
}

Samples concat(const Samples& a, const Samples& b) {
  const std::array both{&a, &b};
  return concat_filled(both);
}

void save_samples(const Samples& samples, State& state, const std::string& prefix) {
  state.put_ints(prefix + "ids", samples.ids());
  std::vector<std::string> names;
  for (const auto& [name, column] : samples.columns()) {
    names.push_back(name);
    state.tensors[prefix + "column." + name] = column.values();
    if (column.ragged()) state.put_ints(prefix + "offsets." + name, column.offsets());
  }
  state.put(prefix + "columns", names);
}

Samples load_samples(const State& state, const std::string& prefix) {
  const std::vector<int64_t> ids = state.ints(prefix + "ids");
  if (ids.empty()) return {};
  try {
    Samples samples = state.has_value(prefix + "columns") ? load_columns(ids, state, prefix)
                                                          : load_inputs_and_targets(ids, state, prefix);
    require_known(samples);
    return samples;
  } catch (const std::invalid_argument& e) {
    throw Error({"reading a saved state", state.source, "whole samples in " + prefix, e.what()});
  }
}

}  // namespace perennial
