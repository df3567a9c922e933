#include "perennial/query/clusters.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "perennial/query/distances.h"

namespace perennial {
namespace {

at::Tensor first_centres(const at::Tensor& rows, int64_t k, Random& random) {
  std::vector<int64_t> order(static_cast<size_t>(rows.size(0)));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  shuffle(order, random);
  order.resize(std::min(order.size(), static_cast<size_t>(16 * k + 1024)));
  const at::Tensor some = rows.index_select(0, at::tensor(order));
  std::vector<int64_t> chosen{0};
  at::Tensor nearest = squared_distances(some.narrow(0, 0, 1), some)[0];
  while (std::ssize(chosen) < k) {
    const at::Tensor sums = nearest.to(at::kDouble).cumsum(0);
    const double total = sums[-1].item<double>();
    int64_t next = std::ssize(chosen);  // where all are equal
    if (total > 0) {
      const at::Tensor wanted = at::full({}, static_cast<double>(random.uniform()) * total, at::kDouble);
      next = std::min(sums.le(wanted).sum().item<int64_t>(), some.size(0) - 1);
    }
    chosen.push_back(next);
    nearest = at::minimum(nearest, squared_distances(some.narrow(0, next, 1), some)[0]);
  }
  return some.index_select(0, at::tensor(chosen));
}

at::Tensor nearest_of(const at::Tensor& rows, const at::Tensor& centres) {
  at::Tensor nearest = at::empty({rows.size(0)}, at::kLong);
  each_distances(rows, centres, [&](int64_t begin, const at::Tensor& distances) {
    nearest.narrow(0, begin, distances.size(0)).copy_(distances.argmin(1));
  });
  return nearest;
}

}  // namespace

std::vector<std::vector<int64_t>> Clusters::members() const {
  std::vector<std::vector<int64_t>> all(static_cast<size_t>(centres.size(0)));
  for (size_t i = 0; i < of.size(); ++i) all[static_cast<size_t>(of[i])].push_back(static_cast<int64_t>(i));
  return all;
}

Clusters kmeans(const at::Tensor& rows, int64_t k, Random random, int64_t rounds) {
  at::Tensor centres = first_centres(rows, k, random);
  at::Tensor of = nearest_of(rows, centres);
  for (int64_t round = 0; round < rounds; ++round) {
    const at::Tensor sums = at::zeros_like(centres).index_add_(0, of, rows);
    const at::Tensor counts = of.bincount({}, k).to(at::kFloat).unsqueeze(1);
    centres = at::where(counts > 0, sums / counts.clamp_min(1), centres);
    const at::Tensor next = nearest_of(rows, centres);
    if (at::equal(next, of)) break;
    of = next;
  }
  return {centres, {of.const_data_ptr<int64_t>(), of.const_data_ptr<int64_t>() + of.numel()}};
}

}  // namespace perennial
