#include <algorithm>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "perennial/query/clusters.h"
#include "perennial/query/distances.h"
#include "perennial/query/representatives.h"
#include "perennial/query/stages.h"

namespace perennial {
namespace {

constexpr int64_t kSmallest = 5, kNeighbours = 20;  // as published
constexpr size_t kMembers = 4096;                   // ours: of a larger cluster so many, drawn, are looked at

struct Cluster {
  int64_t answered = 0;       ///< rows of it that are labelled or chosen
  int64_t size = 0;           ///< of all
  std::vector<int64_t> left;  ///< places of candidates
};

std::vector<Cluster> clusters_of(const Clusters& found, int64_t answered) {
  std::vector<Cluster> all(static_cast<size_t>(found.centres.size(0)));
  for (int64_t i = 0; i < std::ssize(found.of); ++i) {
    Cluster& own = all[static_cast<size_t>(found.of[static_cast<size_t>(i)])];
    ++own.size;
    if (i < answered)
      ++own.answered;
    else
      own.left.push_back(i - answered);
  }
  return all;
}

// Of the clusters that have candidates left: those of some size before small ones, the least labelled, the
// largest.
Cluster& next(std::vector<Cluster>& clusters) {
  return *std::min_element(clusters.begin(), clusters.end(), [](const Cluster& a, const Cluster& b) {
    const auto key = [](const Cluster& c) {
      return std::tuple(c.left.empty(), c.size < kSmallest, c.answered, -c.size);
    };
    return key(a) < key(b);
  });
}

Ranked choose(Query& query, int64_t count, const StrategyOptions& options) {
  const at::Tensor& features = query.features();
  require_finite(features, "features");
  const at::Tensor answered = query.answered_features();
  const at::Tensor all = at::cat({answered, features});
  const int64_t k = std::min({answered.size(0) + count, options.clusters, all.size(0)});
  Ranked ranked;
  if (k == 0) return ranked;
  std::vector<Cluster> clusters = clusters_of(kmeans(all, k, query.random("typiclust")), answered.size(0));
  for (Cluster& cluster : clusters) {
    if (cluster.left.size() <= kMembers) continue;
    Random random = query.random("typiclust members", static_cast<uint64_t>(&cluster - clusters.data()));
    shuffle(cluster.left, random);
  }
  while (std::ssize(ranked.places) < std::min(count, query.size())) {
    Cluster& cluster = next(clusters);
    const std::span<const int64_t> looked_at(cluster.left.data(), std::min(cluster.left.size(), kMembers));
    const at::Tensor typical = typicality(features.index_select(0, as_index(looked_at)),
                                          std::min(kNeighbours, std::ssize(looked_at) / 2));
    const int64_t best = typical.argmax().item<int64_t>();
    ranked.places.push_back(looked_at[static_cast<size_t>(best)]);
    ranked.scores.push_back(typical[best].item<float>());
    cluster.left.erase(cluster.left.begin() + best);
    ++cluster.answered;
  }
  return ranked;
}

}  // namespace

at::Tensor typicality(const at::Tensor& rows, int64_t neighbours) {
  const int64_t n = rows.size(0), k = std::min(std::max<int64_t>(neighbours, 1), n - 1);
  if (k < 1) return at::zeros({n});
  at::Tensor typical = at::empty({n});
  each_distances(rows, rows, [&](int64_t begin, const at::Tensor& distances) {
    // The row itself is the nearest of the k + 1.
    const at::Tensor nearest = std::get<0>(distances.topk(k + 1, 1, false)).sqrt();
    typical.narrow(0, begin, distances.size(0)).copy_(1 / (nearest.sum(1) / k).clamp_min(1e-12));
  });
  return typical;
}

at::Tensor as_index(std::span<const int64_t> places) { return at::tensor(places, at::kLong); }

StrategyKind typiclust_stage() {
  return stage_kind("typiclust", "Hacohen, Dekel, Weinshall, ICML 2022 (TPC_RP)",
                    "the most typical sample of each cluster that has none yet", {Fact::kFeatures}, choose);
}

}  // namespace perennial
