#include <ATen/TensorOperators.h>
#include <ATen/ops/xlogy.h>

#include "perennial/query/stages.h"

namespace perennial {
namespace {

at::Tensor entropy(const at::Tensor& p) { return -at::xlogy(p, p).sum(-1); }

}  // namespace

// H(mean p_t) - mean H(p_t)
StrategyKind bald_stage() {
  return {"bald",
          "Houlsby et al., 2011; Gal, Islam, Ghahramani, ICML 2017",
          "where passes with dropout are sure, each of something else",
          {Fact::kPasses},
          [](const StrategyOptions& o) {
            return std::make_unique<ScoreStage>([passes = o.passes, dropout = o.pass_dropout](Evidence& of) {
              const at::Tensor p = of.passes(passes, dropout);
              return entropy(p.mean(0)) - entropy(p).mean(0);
            });
          }};
}

}  // namespace perennial
