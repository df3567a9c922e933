#include <algorithm>
#include <deque>

#include <ATen/TensorOperators.h>

#include "perennial/query/stages.h"

namespace perennial {
namespace {

// In turn the first candidate that is believed to be of the class with the fewest labels, those chosen
// included (as PCB does: Bang, Ahn, Lee, CVPR 2024, algorithm 1).
Ranked choose(Query& query, int64_t count, const StrategyOptions&) {
  const at::Tensor predicted = query.probabilities().argmax(1);
  std::vector<int64_t> labels = query.answered_counts();
  std::vector<std::deque<int64_t>> left(labels.size());
  for (int64_t i = 0; i < query.size(); ++i)
    left[static_cast<size_t>(predicted[i].item<int64_t>())].push_back(i);
  Ranked ranked;
  while (std::ssize(ranked.places) < std::min(count, query.size())) {
    size_t scarce = left.size();
    for (size_t c = 0; c < left.size(); ++c)
      if (!left[c].empty() && (scarce == left.size() || labels[c] < labels[scarce])) scarce = c;
    ranked.places.push_back(left[scarce].front());
    ranked.scores.push_back(-static_cast<float>(labels[scarce]));
    left[scarce].pop_front();
    ++labels[scarce];
  }
  return ranked;
}

}  // namespace

StrategyKind balance_stage() {
  return stage_kind("balance", "Bang, Ahn, Lee, CVPR 2024 (PCB)",
                    "behind another: as many of each predicted class as it takes for equal labels",
                    {Fact::kProbabilities}, choose);
}

}  // namespace perennial
