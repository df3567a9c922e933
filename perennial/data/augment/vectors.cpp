#include "perennial/data/augment/vectors.h"

#include <numeric>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/augment.h"

namespace perennial {

at::Tensor drop_values(const at::Tensor& vectors, std::span<const int64_t> ids, double share, uint64_t seed,
                       const std::string& purpose, uint64_t position) {
  if (vectors.dim() != 2 || vectors.scalar_type() != at::kFloat || vectors.size(0) != std::ssize(ids))
    throw std::invalid_argument("dropout needs float vectors [N, D] and one id for each");
  const at::Tensor from = vectors.contiguous();
  at::Tensor out = at::empty_like(from);
  const int64_t width = from.size(1);
  const float* in = from.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  const auto chance = static_cast<float>(share), scale = static_cast<float>(1.0 / (1.0 - share));
  parallel_for(from.size(0), 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Random random(seed, purpose, position, static_cast<uint64_t>(ids[static_cast<size_t>(i)]));
      for (int64_t d = 0; d < width; ++d)
        to[i * width + d] = random.chance(chance) ? 0.0F : in[i * width + d] * scale;
    }
  });
  return out;
}

Mixture mixup(const at::Tensor& vectors, uint64_t seed, uint64_t position) {
  Mixture mixed{vectors, std::vector<int64_t>(static_cast<size_t>(vectors.size(0))), 1.0};
  std::iota(mixed.partner.begin(), mixed.partner.end(), 0);
  Random random(seed, "mixup", position);
  if (vectors.numel() == 0 || !random.chance(0.5F)) return mixed;
  mixed.lambda = random.uniform();
  shuffle(mixed.partner, random);
  mixed.inputs =
      vectors * mixed.lambda + vectors.index_select(0, at::tensor(mixed.partner)) * (1 - mixed.lambda);
  return mixed;
}

}  // namespace perennial
