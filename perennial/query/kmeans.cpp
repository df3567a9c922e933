#include <algorithm>
#include <numeric>

#include "perennial/query/clusters.h"
#include "perennial/query/distances.h"
#include "perennial/query/representatives.h"
#include "perennial/query/stages.h"

namespace perennial {

Ranked nearest_to_centres(const at::Tensor& rows, int64_t count, Random random) {
  const int64_t k = std::min(count, rows.size(0));
  Ranked ranked;
  if (k == 0) return ranked;
  const Clusters clusters = kmeans(rows, k, random);
  const auto members = clusters.members();
  std::vector<size_t> order(members.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return members[a].size() > members[b].size(); });
  std::vector<char> taken(clusters.of.size(), 0);
  const auto take = [&](int64_t place, size_t size) {
    taken[static_cast<size_t>(place)] = 1;
    ranked.places.push_back(place);
    ranked.scores.push_back(static_cast<float>(size) / static_cast<float>(clusters.of.size()));
  };
  for (const size_t c : order) {
    if (members[c].empty()) continue;
    const at::Tensor own = rows.index_select(0, as_index(members[c]));
    const at::Tensor centre = clusters.centres.narrow(0, static_cast<int64_t>(c), 1);
    take(members[c][static_cast<size_t>(squared_distances(own, centre).argmin().item<int64_t>())],
         members[c].size());
  }
  // A cluster that lost all its rows has no representative: others take its place.
  for (int64_t i = 0; std::ssize(ranked.places) < k; ++i)
    if (taken[static_cast<size_t>(i)] == 0) take(i, 0);
  return ranked;
}

StrategyKind kmeans_stage() {
  return stage_kind("kmeans", "Zhdanov, 2019 (\"Diverse mini-batch active learning\", unweighted)",
                    "as many clusters as labels, of each the sample nearest to its centre", {Fact::kFeatures},
                    [](Query& query, int64_t count, const StrategyOptions&) {
                      require_finite(query.features(), "features");
                      return nearest_to_centres(query.features(), count, query.random("kmeans"));
                    });
}

}  // namespace perennial
