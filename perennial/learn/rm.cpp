#include "perennial/learn/rm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/one_hot.h>

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

/// Section 4.1: the views of images are perturbations of them, those of frozen features dropout (ours, not
/// the paper's).
at::Tensor perturbed_view(const Samples& samples, int64_t a, uint64_t task, const RmOptions& options,
                          uint64_t seed) {
  const uint64_t position = task * 256 + static_cast<uint64_t>(a);
  const NetworkInput input(samples);
  if (input.column != column::kImage)
    return drop_features(input.rows, samples.ids(), options.feature_dropout, seed, position);
  return perturb(input.rows, samples.ids(), parse_perturbation(options.perturbation), static_cast<int>(a),
                 seed, position);
}

/// Equation 3: u(x) = 1 - max_c S_c(x) / A.
std::vector<float> disagreement(const at::Tensor& logits, const at::Tensor&) {
  return variation_ratio(at::one_hot(logits.argmax(2), logits.size(2)).sum(0), logits.size(0));
}

/// As released: the first task's memory is a random one.
class RandomAtFirst : public Policy {
 public:
  RandomAtFirst(std::unique_ptr<Policy> then, uint64_t seed)
      : first_(make_policy({.name = "random"}, seed)), then_(std::move(then)) {}
  bool online() const override { return then_->online(); }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override {
    then_->offer(memory, batch, ask);
  }
  Choice select(Evidence& candidates, int64_t capacity, uint64_t task) override {
    return (task == 0 ? first_ : then_)->select(candidates, capacity, task);
  }
  void save(State& state, const std::string& prefix) const override { then_->save(state, prefix); }
  void load(const State& state, const std::string& prefix) override { then_->load(state, prefix); }

 private:
  std::unique_ptr<Policy> first_, then_;
};

}  // namespace

ReplayParts rainbow_memory(const LearnerSetup& setup, const RmOptions& options) {
  ReplayParts parts{.trainer = {.augmentation = "cutmix,autoaugment"}, .policy = options.policy};
  parts.views = Views{options.views,
                      [options, seed = setup.seed](const Samples& samples, int64_t a, uint64_t task) {
                        return perturbed_view(samples, a, task, options, seed);
                      },
                      options.uncertainty == "votes" ? disagreement : lack_of_confidence};
  if (options.first_task_random)
    parts.own_policy = std::make_unique<RandomAtFirst>(make_policy(options.policy, setup.seed), setup.seed);
  return parts;
}

Method rm_method() {
  return replay_method("rm", "Rainbow Memory", "Bang et al., CVPR 2021",
                       "keeps samples from the most certain to the most uncertain of each class",
                       rainbow_memory);
}

}  // namespace perennial
