#include "perennial/nn/init.h"

#include <cmath>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"

namespace perennial {
namespace {

constexpr int64_t kGrain = 16384;  // values a thread should have to draw to be worth waking

template <class Draw>
at::Tensor filled(at::IntArrayRef shape, uint64_t seed, const std::string& name, uint64_t position,
                  int64_t first_row, Draw draw) {
  if (seed == kNotDrawn) return at::zeros(shape, at::kFloat);
  at::Tensor result = at::empty(shape, at::kFloat);
  if (result.numel() == 0) return result;
  float* values = result.mutable_data_ptr<float>();
  const int64_t rows = shape[0], length = result.numel() / rows;
  parallel_for(rows, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      Random random(seed, "init " + name, position, static_cast<uint64_t>(first_row + r));
      for (int64_t i = 0; i < length; ++i) values[r * length + i] = draw(random);
    }
  });
  return result;
}

}  // namespace

at::Tensor kaiming_normal(at::IntArrayRef shape, int64_t groups, uint64_t seed, const std::string& name) {
  double fan_out = static_cast<double>(shape[0]) / static_cast<double>(groups);
  for (size_t d = 2; d < shape.size(); ++d) fan_out *= static_cast<double>(shape[d]);
  const double deviation = std::sqrt(2.0 / fan_out);
  return filled(shape, seed, name, 0, 0,
                [&](Random& random) { return static_cast<float>(deviation * random.normal()); });
}

at::Tensor uniform(at::IntArrayRef shape, double bound, uint64_t seed, const std::string& name,
                   uint64_t position, int64_t first_row) {
  const auto limit = static_cast<float>(bound);
  return filled(shape, seed, name, position, first_row,
                [&](Random& random) { return random.uniform(-limit, limit); });
}

}  // namespace perennial
