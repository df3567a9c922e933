#include "perennial/learn/perturbed_views.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/one_hot.h>

#include "perennial/base/options.h"
#include "perennial/data/augment/vectors.h"
#include "perennial/memory/rainbow.h"

namespace perennial {

void ViewOptions::bind(OptionTable& table, const std::string& prefix) {
  table
      .add(prefix + "perturbation", perturbation,
           "the set of perturbations that uncertainty is measured over")
      .choices({"vr", "vr_randaug", "vr_cutout", "vr_autoaug"});
  table
      .add(prefix + "uncertainty", uncertainty,
           "votes: share of views that disagree with the majority; confidence: one less the mean probability "
           "of "
           "the sample's label over the views (ours)")
      .choices({"votes", "confidence"});
  table.add(prefix + "views", views, "A: perturbed views per candidate").range(1, kPerturbations);
  table
      .add(prefix + "feature_dropout", feature_dropout,
           "perturbation of frozen features: share of them dropped per view")
      .range(0, 0.95);
}

namespace {

/// The views of images are perturbations of them, those of vectors dropout (ours, not the paper's).
at::Tensor perturbed_view(const Samples& samples, int64_t a, uint64_t task, const ViewOptions& options,
                          uint64_t seed) {
  const uint64_t position = task * 256 + static_cast<uint64_t>(a);
  const NetworkInput input(samples);
  if (input.column != column::kImage)
    return drop_values(input.rows, samples.ids(), options.feature_dropout, seed, "feature dropout", position);
  return perturb(input.rows, samples.ids(), parse_perturbation(options.perturbation), static_cast<int>(a),
                 seed, position);
}

/// Equation 3: u(x) = 1 - max_c S_c(x) / A.
std::vector<float> disagreement(const at::Tensor& logits, const at::Tensor&) {
  return variation_ratio(at::one_hot(logits.argmax(2), logits.size(2)).sum(0), logits.size(0));
}

}  // namespace

Views ViewOptions::make(uint64_t seed) const {
  return {views,
          [options = *this, seed](const Samples& samples, int64_t a, uint64_t task) {
            return perturbed_view(samples, a, task, options, seed);
          },
          uncertainty == "votes" ? disagreement : lack_of_confidence};
}

}  // namespace perennial
