#include "perennial/query/badge.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/minimum.h>

#include "perennial/query/stages.h"

namespace perennial {
namespace {

/// A place drawn in proportion to what is above zero of `weights`; -1 when nothing is.
int64_t drawn(const at::Tensor& weights, Random& random) {
  const std::span<const float> all(weights.const_data_ptr<float>(), static_cast<size_t>(weights.numel()));
  double total = 0;
  for (const float w : all) total += std::max(0.0F, w);
  if (!(total > 0)) return -1;
  const double wanted = (static_cast<double>(random.next()) + 0.5) * 0x1p-32 * total;
  double passed = 0;
  int64_t last = -1;
  for (int64_t i = 0; i < std::ssize(all); ++i) {
    if (all[static_cast<size_t>(i)] <= 0) continue;
    passed += all[static_cast<size_t>(i)];
    last = i;
    if (passed >= wanted) break;
  }
  return last;
}

}  // namespace

Ranked kmeans_plus_plus(const FactorisedGradients& gradients, int64_t count, Random random) {
  const at::Tensor &q = gradients.residual, &h = gradients.feature;
  const int64_t n = q.size(0);
  const at::Tensor squares = q.square().sum(1) * h.square().sum(1);
  at::Tensor nearest = at::full({n}, INFINITY);
  Ranked ranked;
  while (std::ssize(ranked.places) < std::min(count, n)) {
    const bool first = ranked.places.empty();
    int64_t pick = first ? squares.argmax().item<int64_t>() : drawn(nearest, random);
    // All that are left are equal to one that was chosen: any.
    if (pick < 0) pick = nearest.ge(0).to(at::kFloat).argmax().item<int64_t>();
    ranked.places.push_back(pick);
    ranked.scores.push_back(std::sqrt((first ? squares : nearest)[pick].item<float>()));
    const at::Tensor products = q.mv(q[pick]) * h.mv(h[pick]);
    nearest = at::minimum(nearest, (squares + squares[pick] - 2 * products).clamp_min_(0));
    nearest[pick] = -1;
  }
  return ranked;
}

StrategyKind badge_stage() {
  return stage_kind("badge", "Ash et al., ICLR 2020", "long gradients, far from each other",
                    {Fact::kGradients}, [](Query& query, int64_t count, const StrategyOptions&) {
                      const FactorisedGradients gradients = query.gradients();
                      require_finite(gradients.feature, "features");
                      return kmeans_plus_plus(gradients, count, query.random("badge"));
                    });
}

}  // namespace perennial
