#include "perennial/learn/rm.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/one_hot.h>
#include <fmt/format.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/learn/builtin.h"
#include "perennial/memory/rainbow.h"

namespace perennial {

void RmOptions::bind(OptionTable& table) {
  policy.bind(table, "rm.", true);
  table.add("rm.perturbation", perturbation, "the set of perturbations that uncertainty is measured over")
      .choices({"vr", "vr_randaug", "vr_cutout", "vr_autoaug"});
  table
      .add("rm.uncertainty", uncertainty,
           "votes: share of views that disagree with the majority; confidence: one less the mean probability "
           "of "
           "the sample's label over the views (ours)")
      .choices({"votes", "confidence"});
  table.add("rm.views", views, "A: perturbed views per candidate").range(1, kPerturbations);
  table.add("rm.first_task_random", first_task_random, "choose at random after the first task")
      .released("true");
  table
      .add("rm.feature_dropout", feature_dropout,
           "perturbation of frozen features: share of them dropped per view")
      .range(0, 0.95);
}

RainbowMemory::RainbowMemory(const LearnerSetup& setup, const RmOptions& options)
    : ReplayLearner(setup, HeadKind::kLinear, options.policy, "cutmix,autoaugment"), options_(options) {}

namespace {

// A view of features: each dropped with probability `share`, the rest scaled up.
at::Tensor drop_features(const at::Tensor& features, const std::vector<int64_t>& ids, double share,
                         uint64_t seed, uint64_t view) {
  at::Tensor out = at::empty_like(features);
  const int64_t width = features.size(1);
  const float* in = features.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  const auto scale = static_cast<float>(1.0 / (1.0 - share));
  parallel_for(features.size(0), 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Random random(seed, "feature dropout", view, static_cast<uint64_t>(ids[static_cast<size_t>(i)]));
      for (int64_t d = 0; d < width; ++d)
        to[i * width + d] = random.chance(static_cast<float>(share)) ? 0.0F : in[i * width + d] * scale;
    }
  });
  return out;
}

}  // namespace

at::Tensor RainbowMemory::view(const Samples& samples, int64_t a) const {
  const uint64_t position = static_cast<uint64_t>(task_) * 256 + static_cast<uint64_t>(a);
  const NetworkInput input(samples);
  if (input.column != column::kImage)
    return drop_features(input.rows, samples.ids(), options_.feature_dropout, setup_.seed, position);
  return perturb(input.rows, samples.ids(), parse_perturbation(options_.perturbation), static_cast<int>(a),
                 setup_.seed, position);
}

// Equation 3: u(x) = 1 - max_c S_c(x) / A. All views of 256 samples go through the network stacked on the
// batch axis, and only vote counts are kept.
std::vector<float> RainbowMemory::uncertainty(const Samples& samples, Progress& progress) {
  constexpr int64_t kRows = 256;
  std::vector<float> u;
  u.reserve(samples.size());
  const ProgressPart part(progress, "uncertainty", samples.size());
  for (int64_t begin = 0; begin < samples.size(); begin += kRows) {
    if (progress.stop_requested()) throw Interrupted{};
    const int64_t count = std::min(kRows, samples.size() - begin);
    const Samples some = slice(samples, begin, count);
    std::vector<at::Tensor> views;
    for (int64_t a = 0; a < options_.views; ++a) views.push_back(view(some, a));
    NetworkInput stacked = some;
    stacked.rows = at::cat(views);
    const at::Tensor logits = net_.logits(stacked).reshape({options_.views, count, net_.classes()});
    const auto of_some =
        options_.uncertainty == "votes"
            ? variation_ratio(at::one_hot(logits.argmax(2), net_.classes()).sum(0), options_.views)
            : lack_of_confidence(logits, labels_.rows(some.tensor(column::kLabel)));
    u.insert(u.end(), of_some.begin(), of_some.end());
    progress.advance(count);
  }
  return u;
}

void RainbowMemory::select(Policy& policy, Progress& progress) {
  if (!options_.first_task_random || task_ > 0) return ReplayLearner::select(policy, progress);
  const auto random = make_policy({.name = "random"}, setup_.seed);
  ReplayLearner::select(*random, progress);
}

Method rm_method() {
  return method<RmOptions, RainbowMemory>(
      "rm", "Rainbow Memory", "Bang et al., CVPR 2021",
      "keeps samples from the most certain to the most uncertain of each class");
}

}  // namespace perennial
