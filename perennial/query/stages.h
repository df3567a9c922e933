#pragma once

#include <ATen/core/Tensor.h>

#include "perennial/query/strategy.h"

// What the stages that are built in have in common, and where each is defined: one file, one paper.
namespace perennial {

std::deque<StageKind> builtin_stages();

/// The candidates by one score of each, which is found out in blocks.
class ScoreStage : public Stage {
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
StageKind stage_kind(std::string name, std::string paper, std::string text, std::vector<Fact> needs,
                     Choose choose);

StageKind random_stage();
StageKind least_confidence_stage();
StageKind margin_stage();
StageKind entropy_stage();
StageKind bald_stage();
StageKind k_centre_stage();
StageKind badge_stage();
StageKind kmeans_stage();
StageKind typiclust_stage();
StageKind probcover_stage();
StageKind maxherding_stage();
StageKind uherding_stage();
StageKind dropquery_stage();
StageKind balance_stage();

/// 1 - (p1 - p2), of the two largest of each row of probabilities [N, classes]: [N].
at::Tensor unsureness(const at::Tensor& probabilities);

/// What is not finite among features or scores would be chosen first, or never: an Error that says so.
void require_finite(const at::Tensor& values, const char* what);

}  // namespace perennial
