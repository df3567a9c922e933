#include <ATen/TensorOperators.h>
#include <ATen/ops/xlogy.h>

#include "perennial/query/stages.h"

// Scores of one prediction (Settles, "Active Learning Literature Survey", 2009, section 3.1). Higher is less
// sure.
namespace perennial {

at::Tensor unsureness(const at::Tensor& probabilities) {
  if (probabilities.size(1) < 2) return 1 - probabilities.amax(1);
  const at::Tensor best = std::get<0>(probabilities.topk(2, 1));
  return 1 - (best.select(1, 0) - best.select(1, 1));
}

namespace {

StrategyKind scored(const char* name, const char* paper, const char* text, const ScoreStage::Score& score) {
  return {name, paper, text, {Fact::kProbabilities}, [score](const StrategyOptions&) {
            return std::make_unique<ScoreStage>(score);
          }};
}

}  // namespace

// 1 - max p
StrategyKind least_confidence_stage() {
  return scored("least-confidence", "Lewis and Gale, SIGIR 1994", "where the largest probability is smallest",
                [](Evidence& of) { return 1 - of.probabilities().amax(1); });
}

// 1 - (p1 - p2), of the two largest
StrategyKind margin_stage() {
  return scored("margin", "Scheffer, Decomain, Wrobel, IDA 2001",
                "where the two largest probabilities are nearest",
                [](Evidence& of) { return unsureness(of.probabilities()); });
}

// - sum p log p
StrategyKind entropy_stage() {
  return scored("entropy", "Shannon 1948; Joshi, Porikli, Papanikolopoulos, CVPR 2009",
                "where the entropy of the probabilities is largest",
                [](Evidence& of) { return -at::xlogy(of.probabilities(), of.probabilities()).sum(1); });
}

}  // namespace perennial
