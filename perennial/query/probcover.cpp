#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "perennial/query/clusters.h"
#include "perennial/query/distances.h"
#include "perennial/query/representatives.h"
#include "perennial/query/stages.h"

namespace perennial {
namespace {

constexpr int64_t kAnchors = 1000;

/// The largest radius at which a share of `purity` of balls hold samples of one cluster only: a quantile of
/// the squared distance to the nearest sample of another cluster.
double squared_radius(const at::Tensor& rows, int64_t classes, double purity, Random random) {
  const Clusters clusters = kmeans(rows, std::min(classes, rows.size(0)), random);
  const at::Tensor of = as_index(clusters.of);
  std::vector<int64_t> anchors(clusters.of.size());
  for (size_t i = 0; i < anchors.size(); ++i) anchors[i] = static_cast<int64_t>(i);
  shuffle(anchors, random);
  anchors.resize(std::min<size_t>(anchors.size(), kAnchors));
  const at::Tensor chosen = as_index(anchors), own = of.index_select(0, chosen);
  std::vector<float> nearest;
  each_distances(rows.index_select(0, chosen), rows, [&](int64_t begin, const at::Tensor& distances) {
    const at::Tensor same = own.narrow(0, begin, distances.size(0)).unsqueeze(1).eq(of.unsqueeze(0));
    const at::Tensor other = distances.masked_fill(same, INFINITY).amin(1);
    for (int64_t i = 0; i < other.size(0); ++i) nearest.push_back(other[i].item<float>());
  });
  std::sort(nearest.begin(), nearest.end());
  const auto at = static_cast<size_t>((1 - purity) * static_cast<double>(nearest.size() - 1));
  return std::isfinite(nearest[at]) ? nearest[at] : 4;
}

/// How many of `rows` that `counted` are within the radius of each: [N].
at::Tensor degrees(const at::Tensor& rows, const at::Tensor& counted, double squared) {
  at::Tensor sum = at::zeros({rows.size(0)});
  each_distances(rows, rows.index_select(0, counted), [&](int64_t begin, const at::Tensor& distances) {
    sum.narrow(0, begin, distances.size(0)).copy_(distances.lt(squared).sum(1));
  });
  return sum;
}

Ranked choose(Query& query, int64_t count, const StrategyOptions& options) {
  require_finite(query.features(), "features");
  const at::Tensor rows = unit_rows(query.features());
  const int64_t n = rows.size(0);
  Ranked ranked;
  if (n == 0) return ranked;
  std::set<int64_t> classes(query.answered().labels.begin(), query.answered().labels.end());
  classes.erase(kNoneOfThese);
  const int64_t k = std::max({options.classes, std::ssize(classes), int64_t{2}});
  const double squared = options.radius > 0
                             ? options.radius * options.radius
                             : squared_radius(rows, k, options.purity, query.random("probcover"));
  at::Tensor covered = at::zeros({n}, at::kBool), taken = at::zeros({n}, at::kBool);
  if (!query.answered().labels.empty())
    each_distances(rows, unit_rows(query.answered_features()),
                   [&](int64_t begin, const at::Tensor& distances) {
                     covered.narrow(0, begin, distances.size(0)).copy_(distances.amin(1).lt(squared));
                   });
  at::Tensor degree = degrees(rows, covered.logical_not().nonzero().squeeze(1), squared);
  while (std::ssize(ranked.places) < std::min(count, n)) {
    const at::Tensor open = degree.masked_fill(taken, -1);
    const int64_t pick = open.argmax().item<int64_t>();
    ranked.places.push_back(pick);
    ranked.scores.push_back(open[pick].item<float>());
    taken[pick] = true;
    const at::Tensor near = squared_distances(rows.narrow(0, pick, 1), rows)[0].lt(squared);
    const at::Tensor newly = near.logical_and(covered.logical_not()).nonzero().squeeze(1);
    if (newly.numel() == 0) continue;
    covered.index_fill_(0, newly, true);
    degree -= degrees(rows, newly, squared);
  }
  return ranked;
}

}  // namespace

StrategyKind probcover_stage() {
  return stage_kind("probcover", "Yehuda, Dekel, Hacohen, Weinshall, NeurIPS 2022",
                    "whose ball covers most of what no ball covers yet", {Fact::kFeatures}, choose);
}

}  // namespace perennial
