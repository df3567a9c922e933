#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/query/strategy.h"

// What the stages that are built in have in common, and where each is defined: one file, one paper.
namespace perennial {

std::deque<StrategyKind> builtin_strategies();

/// The candidates by one score of each, which is found out in blocks.
class ScoreStage : public StrategyStage {
 public:
  /// float [n] of a block of n candidates.
  using Score = std::function<at::Tensor(Evidence&)>;
  explicit ScoreStage(Score score) : score_(std::move(score)) {}
  Ranked choose(Query& query, int64_t count) const override;

 private:
  Score score_;
};

/// A kind whose stage is a function of the query, the count and the options.
using Choose = Ranked (*)(Query&, int64_t, const StrategyOptions&);
StrategyKind stage_kind(std::string name, std::string paper, std::string text, std::vector<Fact> needs,
                        Choose choose);

StrategyKind random_stage();
StrategyKind least_confidence_stage();
StrategyKind margin_stage();
StrategyKind entropy_stage();
StrategyKind bald_stage();
StrategyKind k_centre_stage();
StrategyKind badge_stage();
StrategyKind kmeans_stage();
StrategyKind typiclust_stage();
StrategyKind probcover_stage();
StrategyKind maxherding_stage();
StrategyKind uherding_stage();
StrategyKind dropquery_stage();
StrategyKind balance_stage();

/// 1 - (p1 - p2), of the two largest of each row of probabilities [N, classes]: [N].
at::Tensor unsureness(const at::Tensor& probabilities);

/// What is not finite among features or scores would be chosen first, or never: an Error that says so.
void require_finite(const at::Tensor& values, const char* what);

}  // namespace perennial
