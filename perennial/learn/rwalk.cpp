#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include "perennial/base/options.h"
#include "perennial/learn/builtin.h"
#include "perennial/learn/replay_learner.h"

namespace perennial {
namespace {

struct RwalkOptions : MethodOptions {
  PolicyOptions policy{.of_rainbow = true};
  double lambda = 1, fisher_decay = 0.9, eps = 1e-3;
  int64_t interval = 50;
  bool path = true;
  void bind(OptionTable& table) override {
    policy.bind(table, "rwalk.");
    table.add("rwalk.lambda", lambda, "weight of the penalty").range(0, 1e9);
    table.add("rwalk.fisher_decay", fisher_decay, "how slowly the running Fisher information changes")
        .range(0, 0.9999);
    table.add("rwalk.interval", interval, "steps over which a path score is taken").range(1, 1e6);
    table.add("rwalk.eps", eps, "added to the distance that a path score is divided by").range(1e-12, 1);
    table.add("rwalk.path", path, "use the scores of the path; false: the Fisher information alone");
  }
};

/// What is kept of one parameter.
struct Tracked {
  at::Tensor fisher, fall, score;    ///< running: information, fall of the loss in this interval, path score
  at::Tensor start, last, gradient;  ///< where the interval began; the last step
  at::Tensor weight, anchor;         ///< of the penalty; undefined in the first task
};
constexpr std::pair<const char*, at::Tensor Tracked::*> kTracked[] = {
    {"fisher", &Tracked::fisher}, {"fall", &Tracked::fall},    {"score", &Tracked::score},
    {"start", &Tracked::start},   {"last", &Tracked::last},    {"gradient", &Tracked::gradient},
    {"weight", &Tracked::weight}, {"anchor", &Tracked::anchor}};

/// lambda sum_i (F_i + s_i) (theta_i - theta*_i)^2 on the backbone, F and s each scaled to at most 1
/// (equation 8).
class WalkPenalty : public LossTerm {
 public:
  explicit WalkPenalty(const RwalkOptions& options) : options_(options) {}

  at::Tensor of(const StepView& step) override {
    at::Tensor sum;
    const auto parameters = learned(step.net);
    for (size_t i = 0; i < tracked_.size() && options_.lambda > 0; ++i) {
      if (!tracked_[i].weight.defined()) continue;
      const at::Tensor term = (tracked_[i].weight * (parameters[i] - tracked_[i].anchor).square()).sum();
      sum = sum.defined() ? sum + term : term;
    }
    return sum.defined() ? sum * options_.lambda : sum;
  }

  /// The running Fisher information (equation 6), and how far the loss fell on the way that each weight went
  /// in the last step.
  void see_gradients(Classifier& net) override {
    const at::NoGradGuard no_grad;
    const auto parameters = learned(net);
    if (tracked_.empty())
      for (const at::Tensor& p : parameters) tracked_.push_back(begun(p));
    for (size_t i = 0; i < parameters.size(); ++i) {
      Tracked& t = tracked_[i];
      const at::Tensor& gradient = parameters[i].grad();
      if (!gradient.defined()) continue;
      t.fisher.mul_(options_.fisher_decay).add_(gradient.square(), 1 - options_.fisher_decay);
      t.fall.sub_(t.gradient * (parameters[i] - t.last));
      t.gradient.copy_(gradient);
      t.last.copy_(parameters[i]);
    }
    if (++steps_ % options_.interval == 0) take_scores(parameters);
  }

  void consolidate(Classifier& net) {
    const at::NoGradGuard no_grad;
    const auto parameters = learned(net);
    double most_fisher = 1e-12, most_score = 1e-12;
    for (const Tracked& t : tracked_) {
      most_fisher = std::max(most_fisher, t.fisher.max().item<double>());
      most_score = std::max(most_score, t.score.max().item<double>());
    }
    for (size_t i = 0; i < tracked_.size(); ++i) {
      Tracked& t = tracked_[i];
      t.weight = t.fisher / most_fisher;
      if (options_.path) t.weight = t.weight + t.score / most_score;
      t.anchor = parameters[i].detach().clone();
      t.score.mul_(0.5);  // between tasks half of it stays
    }
  }

  void save(State& state, const std::string& prefix) const override {
    state.put(prefix + "rwalk_steps", steps_);
    for (size_t i = 0; i < tracked_.size(); ++i)
      for (const auto& [name, member] : kTracked)
        if ((tracked_[i].*member).defined()) state.tensors[key(prefix, i, name)] = tracked_[i].*member;
  }

  void load(const State& state, const std::string& prefix, Classifier& net) override {
    steps_ = state.value<int64_t>(prefix + "rwalk_steps");
    tracked_.clear();
    if (!state.has_tensor(key(prefix, 0, "fisher"))) return;
    const auto parameters = learned(net);
    for (size_t i = 0; i < parameters.size(); ++i) {
      Tracked& t = tracked_.emplace_back();
      for (const auto& [name, member] : kTracked) {
        if (!state.has_tensor(key(prefix, i, name))) continue;
        t.*member = at::zeros_like(parameters[i]).detach();
        (t.*member).copy_(state.tensor(key(prefix, i, name)));
      }
    }
  }

 private:
  static std::string key(const std::string& prefix, size_t i, const char* name) {
    return prefix + "rwalk." + std::to_string(i) + "." + name;
  }

  /// Weights that keep their shape: the head's grow.
  static std::vector<at::Tensor> learned(Classifier& net) {
    std::vector<at::Tensor> all;
    for (const NamedTensor& p : net.parameters())
      if (!p.name.starts_with("head.")) all.push_back(p.value);
    return all;
  }

  static Tracked begun(const at::Tensor& parameter) {
    Tracked t;
    for (auto member : {&Tracked::fisher, &Tracked::fall, &Tracked::score, &Tracked::gradient})
      t.*member = at::zeros_like(parameter).detach();
    for (auto member : {&Tracked::start, &Tracked::last}) t.*member = parameter.detach().clone();
    return t;
  }

  /// Equation 7: the fall by the distance in the information's metric.
  void take_scores(const std::vector<at::Tensor>& parameters) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      Tracked& t = tracked_[i];
      t.score.add_(
          (t.fall / (0.5 * t.fisher * (parameters[i] - t.start).square() + options_.eps)).clamp_min(0));
      t.fall.zero_();
      t.start.copy_(parameters[i]);
    }
  }

  RwalkOptions options_;
  int64_t steps_ = 0;
  std::vector<Tracked> tracked_;
};

/// Riemannian walk as published (Chaudhry, Dokania, Ajanthan, Torr: "Riemannian Walk for Incremental
/// Learning: Understanding Forgetting and Intransigence", ECCV 2018), over experience replay. In the released
/// blurry comparison its path scores are always 0; here they are what the paper says.
ReplayParts riemannian_walk(const LearnerSetup&, const RwalkOptions& options) {
  const auto penalty = std::make_shared<WalkPenalty>(options);
  return {.trainer = {.terms = {penalty}}, .policy = options.policy, .end_task = [penalty](ReplayKit& kit) {
            penalty->consolidate(kit.trainer.net());
          }};
}

}  // namespace

Method rwalk_method() {
  return replay_method("rwalk", "Riemannian walk", "Chaudhry et al., ECCV 2018",
                       "experience replay with a penalty on moving weights whose way mattered",
                       riemannian_walk);
}

}  // namespace perennial
