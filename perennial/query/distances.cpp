#include "perennial/query/distances.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>

namespace perennial {

at::Tensor unit_rows(const at::Tensor& rows) { return rows / rows.norm(2, {1}, true).clamp_min(1e-12); }

at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b) {
  return at::addmm(b.square().sum(1).unsqueeze(0), a, b.t(), 1, -2)
      .add_(a.square().sum(1, true))
      .clamp_min_(0);
}

void each_distances(const at::Tensor& a, const at::Tensor& b,
                    const std::function<void(int64_t begin, const at::Tensor& distances)>& use) {
  const int64_t rows = std::clamp<int64_t>((int64_t{1} << 22) / std::max<int64_t>(1, b.size(0)), 16, 4096);
  for (int64_t begin = 0; begin < a.size(0); begin += rows)
    use(begin, squared_distances(a.narrow(0, begin, std::min(rows, a.size(0) - begin)), b));
}

}  // namespace perennial
