#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "perennial/query/distances.h"
#include "perennial/query/representatives.h"
#include "perennial/query/stages.h"

namespace perennial {
namespace {

constexpr int64_t kAtOnce = 32;  // whose gain is found out anew in one product

at::Tensor kernel(const at::Tensor& distances, double sigma) { return (distances / (-sigma * sigma)).exp(); }

/// What each of `some` would add: [n].
at::Tensor gains(const at::Tensor& some, const at::Tensor& rows, const at::Tensor& reached,
                 const at::Tensor& weights, double sigma) {
  at::Tensor all = at::empty({some.size(0)});
  each_distances(some, rows, [&](int64_t begin, const at::Tensor& distances) {
    all.narrow(0, begin, distances.size(0))
        .copy_((kernel(distances, sigma) - reached).clamp_min_(0).mv(weights));
  });
  return all;
}

/// The least distance between two labelled samples that is not zero (Bae, Oliveira, Sutherland, ICLR 2025):
/// the more is labelled, the finer the cover.
double adapted(const at::Tensor& labelled, double most) {
  double least = INFINITY;
  if (labelled.size(0) > 1)
    each_distances(labelled, labelled, [&](int64_t, const at::Tensor& distances) {
      least = std::min(least, distances.masked_fill(distances.lt(1e-6), INFINITY).min().item<double>());
    });
  return std::isfinite(least) ? std::min(most, std::sqrt(least)) : most;
}

Ranked maxherding(Query& query, int64_t count, const StrategyOptions& options) {
  require_finite(query.features(), "features");
  const at::Tensor rows = unit_rows(query.features());
  return herd(rows, unit_rows(query.answered_features()), at::ones({rows.size(0)}), options.bandwidth, count);
}

Ranked uherding(Query& query, int64_t count, const StrategyOptions& options) {
  query.find_out_all();
  require_finite(query.features(), "features");
  const at::Tensor rows = unit_rows(query.features()), labelled = unit_rows(query.answered_features());
  return herd(rows, labelled, unsureness(query.probabilities()), adapted(labelled, options.bandwidth), count);
}

}  // namespace

Ranked herd(const at::Tensor& rows, const at::Tensor& covered, const at::Tensor& weights, double sigma,
            int64_t count) {
  const int64_t n = rows.size(0);
  Ranked ranked;
  if (n == 0) return ranked;
  at::Tensor reached = at::zeros({n});  // max k(x_i, s) so far
  if (covered.size(0) > 0)
    each_distances(rows, covered, [&](int64_t begin, const at::Tensor& distances) {
      reached.narrow(0, begin, distances.size(0)).copy_(kernel(distances.amin(1), sigma));
    });
  at::Tensor bound = gains(rows, rows, reached, weights, sigma);  // at least the gain now
  at::Tensor current = at::ones({n}, at::kBool);                  // where it is the gain now
  while (std::ssize(ranked.places) < std::min(count, n)) {
    int64_t pick = bound.argmax().item<int64_t>();
    while (!current[pick].item<bool>()) {
      const at::Tensor some = std::get<1>(bound.topk(std::min(kAtOnce, n)));
      bound.index_copy_(0, some, gains(rows.index_select(0, some), rows, reached, weights, sigma));
      // Those that are chosen stay out.
      for (const int64_t gone : ranked.places) bound[gone] = -1;
      current.index_fill_(0, some, true);
      pick = bound.argmax().item<int64_t>();
    }
    ranked.places.push_back(pick);
    ranked.scores.push_back(bound[pick].item<float>());
    reached = at::maximum(reached, kernel(squared_distances(rows.narrow(0, pick, 1), rows)[0], sigma));
    bound[pick] = -1;
    current.fill_(false);
  }
  return ranked;
}

StrategyKind maxherding_stage() {
  return stage_kind("maxherding", "Bae, Noh, Sutherland, ECCV 2024",
                    "who covers most of the pool, by a soft ball", {Fact::kFeatures}, maxherding);
}

StrategyKind uherding_stage() {
  return stage_kind("uherding", "Bae, Oliveira, Sutherland, ICLR 2025",
                    "who covers most of what the network is unsure of",
                    {Fact::kFeatures, Fact::kProbabilities}, uherding);
}

}  // namespace perennial
