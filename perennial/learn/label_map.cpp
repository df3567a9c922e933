#include "perennial/learn/label_map.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace perennial {
namespace {

constexpr int64_t kLargestLabel = (int64_t{1} << 24) - 1;

}  // namespace

bool LabelMap::add(std::span<const int64_t> labels) {
  bool any = false;
  for (const int64_t label : labels) {
    if (label < 0 || label > kLargestLabel)
      throw std::invalid_argument("a label lies outside 0.." + std::to_string(kLargestLabel) + ": " +
                                  std::to_string(label));
    if (label >= static_cast<int64_t>(row_of_.size())) row_of_.resize(label + 1, -1);
    if (row_of_[label] >= 0) continue;
    row_of_[label] = size();
    labels_.push_back(label);
    any = true;
  }
  return any;
}

at::Tensor LabelMap::rows(const at::Tensor& labels) const {
  at::Tensor out = at::empty(labels.sizes(), labels.options());
  const int64_t* in = labels.const_data_ptr<int64_t>();
  int64_t* row = out.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < labels.numel(); ++i) row[i] = row_of_.at(in[i]);
  return out;
}

at::Tensor LabelMap::gather(const at::Tensor& by_label) const {
  at::Tensor out = at::zeros({by_label.size(0), size()}, by_label.options());
  for (int64_t row = 0; row < size(); ++row)
    if (const int64_t label = labels_[static_cast<size_t>(row)]; label < by_label.size(1))
      out.select(1, row).copy_(by_label.select(1, label));
  return out;
}

at::Tensor LabelMap::scatter(const at::Tensor& by_row, int64_t width, double fill) const {
  const int64_t columns = std::max<int64_t>(width, static_cast<int64_t>(row_of_.size()));
  at::Tensor out = at::full({by_row.size(0), columns}, fill, by_row.options());
  if (!labels_.empty()) out.index_copy_(1, at::tensor(labels_), by_row);
  return out;
}

void LabelMap::save(State& state, const std::string& prefix) const {
  state.put_ints(prefix + "labels", labels_);
}

void LabelMap::load(const State& state, const std::string& prefix) {
  labels_.clear();
  row_of_.clear();
  add(state.ints(prefix + "labels"));
}

}  // namespace perennial
