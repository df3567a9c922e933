#include "perennial/query/k_centre.h"

#include <cmath>
#include <unordered_map>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/minimum.h>

#include "perennial/query/distances.h"
#include "perennial/query/stages.h"

namespace perennial {
namespace {

// The next picks are among those that are farthest now: distances to so many of them are found out in one
// product, which reads the features once for all.
constexpr int64_t kAhead = 32;

at::Tensor nearest_centre(const at::Tensor& features, const at::Tensor& centres) {
  at::Tensor nearest = at::full({features.size(0)}, INFINITY);
  if (centres.size(0) > 0)
    each_distances(features, centres, [&](int64_t begin, const at::Tensor& distances) {
      nearest.narrow(0, begin, distances.size(0)).copy_(distances.amin(1));
    });
  return nearest;
}

}  // namespace

Ranked farthest_first(const at::Tensor& features, const at::Tensor& centres, int64_t count) {
  const int64_t n = features.size(0);
  at::Tensor nearest = nearest_centre(features, centres);
  std::unordered_map<int64_t, at::Tensor> ahead;
  Ranked ranked;
  while (std::ssize(ranked.places) < std::min(count, n)) {
    const bool first = ranked.places.empty() && centres.size(0) == 0;
    const int64_t pick = first ? squared_distances(features, features.mean(0, true)).argmin().item<int64_t>()
                               : nearest.argmax().item<int64_t>();
    if (!ahead.contains(pick)) {
      ahead.clear();
      const at::Tensor wanted =
          first ? at::full({1}, pick, at::kLong) : std::get<1>(nearest.topk(std::min(kAhead, n)));
      const at::Tensor to_wanted = squared_distances(features.index_select(0, wanted), features);
      for (int64_t i = 0; i < wanted.size(0); ++i) ahead[wanted[i].item<int64_t>()] = to_wanted[i];
      if (!ahead.contains(pick)) ahead[pick] = squared_distances(features.narrow(0, pick, 1), features)[0];
    }
    ranked.places.push_back(pick);
    ranked.scores.push_back(first ? INFINITY : std::sqrt(nearest[pick].item<float>()));
    nearest = at::minimum(nearest, ahead[pick]);
    nearest[pick] = -1;
  }
  if (!ranked.scores.empty() && std::isinf(ranked.scores[0]))
    ranked.scores[0] = ranked.scores.size() > 1 ? ranked.scores[1] : 0;
  return ranked;
}

StrategyKind k_centre_stage() {
  return stage_kind("k-centre", "Sener and Savarese, ICLR 2018 (CORESET, greedy)",
                    "the farthest from all that is labelled or chosen, one after the other",
                    {Fact::kFeatures}, [](Query& query, int64_t count, const StrategyOptions&) {
                      require_finite(query.features(), "features");
                      return farthest_first(query.features(), query.answered_features(true), count);
                    });
}

}  // namespace perennial
