#include "perennial/memory/evidence.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softmax.h>

namespace perennial {
namespace {

const char* name_of(Fact fact) {
  switch (fact) {
    case Fact::kFeatures: return "features";
    case Fact::kProbabilities: return "probabilities";
    case Fact::kLosses: return "losses";
    case Fact::kGradients: return "gradients";
    case Fact::kCrops: return "losses over crops";
    case Fact::kPasses: return "passes with dropout";
    case Fact::kViews: break;
  }
  return "perturbed views";
}

[[noreturn]] void cannot_tell(const char* what) {
  throw std::logic_error(std::string("this learner cannot tell the ") + what + " of samples");
}

}  // namespace

void require_facts(const std::string& who, std::span<const Fact> needs, std::span<const Fact> known) {
  for (const Fact fact : needs)
    if (std::find(known.begin(), known.end(), fact) == known.end())
      throw std::invalid_argument(who + " needs the " + name_of(fact) +
                                  " of samples, which this method does not find out");
}

at::Tensor FactorisedGradients::products(const FactorisedGradients& others) const {
  return residual.matmul(others.residual.t()) * feature.matmul(others.feature.t());
}

at::Tensor FactorisedGradients::norms() const { return residual.norm(2, 1) * feature.norm(2, 1); }

std::vector<int64_t> Evidence::labels() const {
  std::vector<int64_t> all(static_cast<size_t>(classes()));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

template <class Make>
const at::Tensor& Evidence::once(at::Tensor& kept, const Make& make) {
  require_current();
  if (!kept.defined()) kept = make();
  return kept;
}

const at::Tensor& Evidence::rows() {
  return once(rows_, [&] { return samples().has(column::kLabel) ? make_rows() : logits().argmax(1); });
}

const at::Tensor& Evidence::features() {
  return once(features_, [&] { return make_features(); });
}

const at::Tensor& Evidence::logits() {
  return once(logits_, [&] { return make_logits(); });
}

const at::Tensor& Evidence::probabilities() {
  return once(probabilities_, [&] { return at::softmax(logits(), 1); });
}

const at::Tensor& Evidence::losses() {
  return once(losses_, [&] { return at::cross_entropy_loss(logits(), rows(), {}, at::Reduction::None); });
}

const at::Tensor& Evidence::crop_losses() {
  return once(crop_losses_, [&] { return make_crop_losses(); });
}

const at::Tensor& Evidence::head_weight() {
  return once(head_weight_, [&] { return make_head_weight(); });
}

const at::Tensor& Evidence::votes() {
  return once(votes_, [&] { return make_votes(); });
}

const FactorisedGradients& Evidence::gradients() {
  require_current();
  if (!gradients_) {
    const at::Tensor& feature = features();  // before the logits, which then cost next to nothing
    const at::Tensor residual = probabilities() - at::one_hot(rows(), classes());
    gradients_ = {residual, feature};
  }
  return *gradients_;
}

const std::vector<float>& Evidence::uncertainty() {
  require_current();
  if (!uncertainty_) uncertainty_ = make_uncertainty();
  return *uncertainty_;
}

at::Tensor Evidence::passes(int64_t count, double share) {
  require_current();
  return make_passes(count, share);
}

at::Tensor Evidence::make_rows() { cannot_tell("classes"); }
at::Tensor Evidence::make_features() { cannot_tell("features"); }
at::Tensor Evidence::make_logits() { cannot_tell("logits"); }
at::Tensor Evidence::make_head_weight() { cannot_tell("head"); }
at::Tensor Evidence::make_votes() { cannot_tell("perturbed views"); }
at::Tensor Evidence::make_crop_losses() { cannot_tell("losses over crops"); }
at::Tensor Evidence::make_passes(int64_t, double) { cannot_tell("passes with dropout"); }
std::vector<float> Evidence::make_uncertainty() { cannot_tell("uncertainty"); }

}  // namespace perennial
