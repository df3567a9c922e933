#include "perennial/query/stages.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

class FunctionStage : public StrategyStage {
 public:
  FunctionStage(Choose function, const StrategyOptions& options) : choose_(function), options_(options) {}
  Ranked choose(Query& query, int64_t count) const override { return choose_(query, count, options_); }

 private:
  Choose choose_;
  StrategyOptions options_;
};

Ranked choose_random(Query& query, int64_t count, const StrategyOptions&) {
  std::vector<float> drawn;
  for (int64_t i = 0; i < query.size(); ++i)
    drawn.push_back(query.random("any", static_cast<uint64_t>(query.id(i))).uniform());
  Ranked ranked{query.best(drawn, count), {}};
  ranked.scores.assign(ranked.places.size(), 0);
  return ranked;
}

}  // namespace

std::deque<StrategyKind> builtin_strategies() {
  return {random_stage(),    least_confidence_stage(), margin_stage(),     entropy_stage(),
          bald_stage(),      k_centre_stage(),         badge_stage(),      kmeans_stage(),
          typiclust_stage(), probcover_stage(),        maxherding_stage(), uherding_stage(),
          dropquery_stage(), balance_stage()};
}

Ranked ScoreStage::choose(Query& query, int64_t count) const {
  const at::Tensor scores = query.each(score_).to(at::kFloat).contiguous();
  require_finite(scores, "scores");
  const std::span<const float> all(scores.const_data_ptr<float>(), static_cast<size_t>(scores.numel()));
  Ranked ranked{query.best(all, count), {}};
  for (const int64_t place : ranked.places) ranked.scores.push_back(all[static_cast<size_t>(place)]);
  return ranked;
}

StrategyKind stage_kind(std::string name, std::string paper, std::string text, std::vector<Fact> needs,
                        Choose choose) {
  return {
      std::move(name), std::move(paper), std::move(text), std::move(needs),
      [choose](const StrategyOptions& options) { return std::make_unique<FunctionStage>(choose, options); }};
}

StrategyKind random_stage() { return stage_kind("random", "", "any, each as likely", {}, choose_random); }

void require_finite(const at::Tensor& values, const char* what) {
  if (values.numel() == 0) return;
  const at::Tensor finite = at::isfinite(values.sum());
  if (finite.item<bool>()) return;
  const at::Tensor bad = at::isfinite(values).logical_not();
  const int64_t rows = (values.dim() > 1 ? bad.any(1) : bad).sum().item<int64_t>();
  throw Error({"choosing what to label", "the pool", std::string(what) + " that are finite numbers",
               fmt::format("{} of {} samples with NaN or infinite ones", rows, values.size(0))});
}

}  // namespace perennial
