#include <algorithm>

#include <ATen/TensorOperators.h>

#include "perennial/query/representatives.h"
#include "perennial/query/stages.h"

namespace perennial {
namespace {

constexpr int64_t kPasses = 3;
constexpr double kDropout = 0.75;

// Candidates whose class is another one in most passes with dropout; of those the ones nearest to the centres
// of as many clusters as labels are asked for. Where they are too few, others drawn at random join.
Ranked choose(Query& query, int64_t count, const StrategyOptions&) {
  const at::Tensor changes = query.each([](Evidence& of) {
    require_finite(of.features(), "features");
    const at::Tensor usual = of.probabilities().argmax(1);
    return of.passes(kPasses, kDropout).argmax(2).ne(usual.unsqueeze(0)).sum(0);
  });
  std::vector<float> order;
  int64_t unstable = 0;
  for (int64_t i = 0; i < query.size(); ++i) {
    const bool changed = 2 * changes[i].item<int64_t>() > kPasses;
    unstable += changed ? 1 : 0;
    order.push_back((changed ? 1.0F : 0.0F) +
                    query.random("dropquery", static_cast<uint64_t>(query.id(i))).uniform());
  }
  const std::vector<int64_t> some = query.best(order, std::max(unstable, count));
  Query narrowed = query.narrowed(some);
  Ranked ranked = nearest_to_centres(narrowed.features(), count, query.random("dropquery clusters"));
  for (int64_t& place : ranked.places) place = some[static_cast<size_t>(place)];
  return ranked;
}

}  // namespace

StrategyKind dropquery_stage() {
  return stage_kind("dropquery",
                    "Gupte et al., \"Revisiting Active Learning in the Era of Vision Foundation Models\", "
                    "TMLR 2024",
                    "representatives of what dropout makes another class of",
                    {Fact::kFeatures, Fact::kProbabilities, Fact::kPasses}, choose);
}

}  // namespace perennial
