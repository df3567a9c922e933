#include "perennial/learn/droptop.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "perennial/base/options.h"
#include "perennial/base/random.h"
#include "perennial/learn/method.h"
#include "perennial/memory/memory.h"

namespace perennial {

void DebiasOptions::bind(OptionTable& table) {
  table.add("debias", name, "against shortcuts, in training: DropTop (a reconstruction)")
      .choices({"none", "droptop"});
  table.add("droptop.gamma", gamma, "share of a map's positions that is dropped in all; 0: nothing")
      .range(0, 0.9);
  table.add("droptop.kappa", kappa, "share that is dropped where attention is highest, at first")
      .range(0, 0.9);
  table.add("droptop.alpha", alpha, "factor by which kappa shifts").range(0.1, 0.999);
  table.add("droptop.length", length, "trials of each kappa that are compared").range(2, 1000);
  table.add("droptop.period", period, "training steps of a trial").range(1, 1e6);
  table.add("droptop.probe", probe, "memory samples whose loss judges a trial").range(1, 65536);
  table.add("droptop.layer", layer, "stage whose map is masked; empty: the first behind the stem");
  table
      .add("droptop.fusion", fusion,
           "of the low and the high map's attention; random: dropped positions are random ones alone")
      .choices({"sum", "product", "low", "high", "random"});
  table.add("droptop.shift", shift, "of kappa: both ways, not at all, or one way only")
      .choices({"adaptive", "fixed", "increase", "decrease"});
  table.add("droptop.rescale", rescale, "scale what stays up by 1 / (1 - gamma)");
}

namespace {

/// Each sample's values from 0 to 1.
at::Tensor scaled(const at::Tensor& maps) {
  const at::Tensor low = maps.amin({1, 2}, true), high = maps.amax({1, 2}, true);
  return (maps - low) / (high - low).clamp_min(1e-12);
}

size_t target_stage(const std::vector<std::string>& stages, const std::string& wanted) {
  if (wanted.empty()) return 1;
  const auto found = std::find(stages.begin(), stages.end(), wanted);
  if (found != stages.end() && found + 1 != stages.end()) return static_cast<size_t>(found - stages.begin());
  std::string all;
  for (size_t i = 0; i + 1 < stages.size(); ++i) all += (i == 0 ? "" : ", ") + stages[i];
  throw std::invalid_argument("droptop.layer: no stage '" + wanted +
                              "' with another behind it (there are: " + all + ")");
}

/// kappa shifts within (0, gamma]: kappa alpha and kappa / alpha are tried in turn.
TwoValues trials(const DebiasOptions& o) {
  const double most = std::max(o.gamma, 1e-9), middle = std::clamp(o.kappa, 1e-9, most);
  TwoValues values(middle, o.alpha, 1 / o.alpha, o.alpha, o.length, most);
  values.may_move(o.shift != "decrease", o.shift != "increase");
  return values;
}

}  // namespace

DropTop::DropTop(const LearnerSetup& setup, const DebiasOptions& options)
    : options_(options), seed_(setup.seed), target_(0), kappas_(trials(options)) {
  if (setup.model.freeze == "features" || setup.input_shape.size() != 3 ||
      setup.model.name.starts_with("mlp") || setup.model.name == "identity")
    throw std::invalid_argument(
        "debias: DropTop masks the feature maps of a convolutional network that learns");
  ModelOptions drawn = setup.model;
  drawn.weights.clear();
  const auto backbone = make_backbone(drawn, {3, setup.input_shape[1], setup.input_shape[2]}, 0);
  target_ = target_stage(backbone->stages(), options.layer);
}

double DropTop::kappa() const {
  if (options_.fusion == "random") return 0;
  return shifts() ? kappas_.value() : std::min(options_.kappa, options_.gamma);
}

at::Tensor DropTop::attention(const at::Tensor& low, const at::Tensor& high, const std::string& fusion) {
  const at::Tensor a = scaled(low.to(at::kFloat).abs().mean(1));
  if (fusion == "low" || fusion == "random") return a;
  const at::Tensor small = high.to(at::kFloat).abs().mean(at::IntArrayRef{1}, true);
  const at::Tensor b =
      scaled(at::upsample_bilinear2d(small, {low.size(2), low.size(3)}, /*align_corners=*/false).squeeze(1));
  if (fusion == "high") return b;
  return fusion == "product" ? a * b : (a + b) / 2;
}

at::Tensor DropTop::mask(const at::Tensor& attention, double kappa, double gamma,
                         const std::vector<int64_t>& ids, uint64_t seed, uint64_t step) {
  const at::Tensor a = attention.to(at::kCPU, at::kFloat).contiguous();
  const int64_t samples = a.size(0), n = a.size(1) * a.size(2);
  at::Tensor mask = at::ones(a.sizes());
  auto* stays = mask.mutable_data_ptr<float>();
  const float* values = a.const_data_ptr<float>();
  const auto in_all = static_cast<int64_t>(std::lround(gamma * static_cast<double>(n)));
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < samples; ++i) {
    Random random(seed, "droptop", step * 65536 + static_cast<uint64_t>(i),
                  static_cast<uint64_t>(ids[static_cast<size_t>(i)]));
    const double wanted = kappa * static_cast<double>(n);
    auto top = static_cast<int64_t>(std::lround(wanted));
    if (top == 0) top = random.chance(static_cast<float>(wanted)) ? 1 : 0;
    top = std::min(top, in_all);
    std::iota(order.begin(), order.end(), 0);
    const float* own = values + i * n;
    std::partial_sort(order.begin(), order.begin() + top, order.end(),
                      [own](int64_t x, int64_t y) { return own[x] != own[y] ? own[x] > own[y] : x < y; });
    for (int64_t k = top; k < in_all; ++k)
      std::swap(order[static_cast<size_t>(k)],
                order[static_cast<size_t>(k + random.below(static_cast<uint32_t>(n - k)))]);
    for (int64_t k = 0; k < in_all; ++k) stays[i * n + order[static_cast<size_t>(k)]] = 0;
  }
  return mask;
}

at::Tensor DropTop::feature_map(const Passage& at, at::Tensor map) {
  if (at.stage.index != target_ || options_.gamma == 0) return map;
  at::Tensor fused;
  {
    const at::NoGradGuard no_grad;  // by running statistics, which stay as they are
    at::Tensor high = map.detach();
    const bool looks_ahead = options_.fusion != "low" && options_.fusion != "random";
    for (size_t i = target_ + 1; looks_ahead && i < at.stage.backbone.stages().size(); ++i)
      high = at.stage.backbone.run_stage(i, high, false);
    fused = attention(map.detach(), high, options_.fusion);
  }
  const at::Tensor keep =
      mask(fused, kappa(), options_.gamma, at.batch.ids(), at.seed, static_cast<uint64_t>(at.step));
  at::Tensor out = map * keep.unsqueeze(1).to(map.device(), map.scalar_type());
  return options_.rescale ? out / (1 - options_.gamma) : out;
}

// A trial: `period` steps with one kappa, judged by how far the loss on a part of the memory falls.
void DropTop::after_step(const Surroundings& around) {
  if (!shifts() || ++steps_ % options_.period != 0 || around.memory == nullptr || around.memory->size() == 0)
    return;
  const auto loss = [&] {
    const at::Tensor rows = around.labels.rows(probe_.tensor(column::kLabel));
    const double now = at::cross_entropy_loss(around.net.logits(probe_), rows).item<double>();
    return std::isfinite(now) ? now : 0;
  };
  if (!probe_.empty()) kappas_.brought(before_ - loss());
  std::vector<int64_t> rows =
      permutation(around.memory->size(), Random(seed_, "droptop probe", static_cast<uint64_t>(steps_)));
  rows.resize(std::min<size_t>(rows.size(), static_cast<size_t>(options_.probe)));
  probe_ = around.memory->take(rows);
  before_ = loss();
}

void DropTop::save(State& state, const std::string& prefix) const {
  kappas_.save(state, prefix + "kappa.");
  save_samples(probe_, state, prefix + "probe.");
  state.put(prefix + "before", before_);
  state.put(prefix + "steps", steps_);
}

void DropTop::load(const State& state, const std::string& prefix) {
  kappas_.load(state, prefix + "kappa.");
  probe_ = load_samples(state, prefix + "probe.");
  before_ = state.value<double>(prefix + "before");
  steps_ = state.value<int64_t>(prefix + "steps");
}

}  // namespace perennial
