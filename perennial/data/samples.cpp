#include "perennial/data/samples.h"

#include <stdexcept>

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "perennial/base/error.h"
#include "perennial/io/state.h"

namespace perennial {

int64_t Samples::bytes() const {
  if (empty()) return 0;
  return static_cast<int64_t>(inputs.nbytes() + targets.nbytes() + ids.size() * sizeof(int64_t));
}

std::span<const int64_t> Samples::labels() const {
  if (empty()) return {};
  if (targets.dim() != 1 || targets.scalar_type() != at::kLong)
    throw std::invalid_argument("these samples have no class labels");
  return {targets.const_data_ptr<int64_t>(), static_cast<size_t>(targets.numel())};
}

Samples take(const Samples& samples, std::span<const int64_t> rows) {
  if (rows.empty()) return {};
  const at::Tensor index = at::tensor(at::ArrayRef<int64_t>(rows.data(), rows.size()));
  Samples out{samples.inputs.index_select(0, index), samples.targets.index_select(0, index), {}};
  out.ids.reserve(rows.size());
  for (const int64_t row : rows) out.ids.push_back(samples.ids[static_cast<size_t>(row)]);
  return out;
}

Samples slice(const Samples& samples, int64_t begin, int64_t count) {
  if (count == 0) return {};
  return {samples.inputs.narrow(0, begin, count),
          samples.targets.narrow(0, begin, count),
          {samples.ids.begin() + begin, samples.ids.begin() + begin + count}};
}

Samples concat(const Samples& a, const Samples& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  Samples out{at::cat({a.inputs, b.inputs}), at::cat({a.targets, b.targets}), a.ids};
  out.ids.insert(out.ids.end(), b.ids.begin(), b.ids.end());
  return out;
}

void save_samples(const Samples& samples, State& state, const std::string& prefix) {
  state.put_ints(prefix + "ids", samples.ids);
  if (samples.empty()) return;
  state.tensors[prefix + "inputs"] = samples.inputs;
  state.tensors[prefix + "targets"] = samples.targets;
}

Samples load_samples(const State& state, const std::string& prefix) {
  Samples samples;
  samples.ids = state.ints(prefix + "ids");
  if (samples.empty()) return samples;
  samples.inputs = state.tensor(prefix + "inputs");
  samples.targets = state.tensor(prefix + "targets");
  for (const at::Tensor& t : {samples.inputs, samples.targets})
    if (t.dim() == 0 || t.size(0) != samples.size())
      throw Error({"reading a saved state", state.source,
                   std::to_string(samples.size()) + " rows in " + prefix, "another number"});
  return samples;
}

}  // namespace perennial
