#include "perennial/nn/load_weights.h"

#include <ATen/ops/isfinite.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

void require_numbers(const at::Tensor& t, const std::string& name, const std::string& source) {
  if (!t.is_floating_point())
    throw Error({"loading weights", source, name + " in floating point",
                 std::string("integers (") + c10::toString(t.scalar_type()) + ")"});
  const int64_t finite = at::isfinite(t).sum().item<int64_t>();
  if (finite != t.numel())
    throw Error(
        {"loading weights", source, name + " in finite numbers",
         "NaN or infinity in " + std::to_string(t.numel() - finite) + " of " + std::to_string(t.numel())});
}

}  // namespace

void load_weights(TensorList& tensors, const TensorMap& in, const std::string& prefix,
                  const std::string& source, Weights weights) {
  for (const NamedTensor& t : tensors.all())
    if (const auto found = in.find(prefix + t.name); found != in.end())
      require_numbers(found->second, found->first, source);
  if (weights == Weights::kStay)
    tensors.adopt(in, prefix, source);
  else
    tensors.load(in, prefix, source);
}

}  // namespace perennial
