#include "perennial/memory/gss.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/stack.h>

namespace perennial {
namespace {

constexpr int64_t kBatches = 10, kRows = 10;
constexpr float kFirstScore = 0.1F;  ///< of a sample when there is nothing to compare it with

/// Of the mean loss: [classes, D].
at::Tensor mean_gradient(const FactorisedGradients& g) {
  return g.residual.t().matmul(g.feature) / static_cast<double>(g.residual.size(0));
}

/// Gradients of random batches of the memory, each of length 1: [K, classes, D].
at::Tensor references(const Memory& memory, const AskEvidence& ask, Random random) {
  std::vector<at::Tensor> all;
  std::vector<int64_t> order(static_cast<size_t>(memory.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  shuffle(order, random);
  const int64_t rows = std::min(kRows, memory.size());
  for (int64_t k = 0; k < kBatches && (k + 1) * rows <= memory.size(); ++k) {
    const auto evidence = ask(memory.take(std::span(order).subspan(k * rows, rows)));
    const at::Tensor g = mean_gradient(evidence->gradients());
    all.push_back(g / g.norm().clamp_min(1e-12));
  }
  return at::stack(all);
}

/// The largest cosine of each gradient to a reference: [N].
at::Tensor largest_cosines(const FactorisedGradients& g, const at::Tensor& references) {
  const at::Tensor products =
      (g.residual.unsqueeze(0).matmul(references) * g.feature.unsqueeze(0)).sum(at::IntArrayRef{2});
  return (products.amax(0) / g.norms().clamp_min(1e-12)).clamp(-1, 1);
}

}  // namespace

void GssPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence& ask) {
  const auto position = static_cast<uint64_t>(++offers_);
  std::vector<float> scores(static_cast<size_t>(batch.size()), kFirstScore);
  bool points_away = false;
  if (memory.size() > 0) {
    const at::Tensor refs = references(memory, ask, Random(seed_, "gss references", position));
    const auto evidence = ask(batch);
    const FactorisedGradients& g = evidence->gradients();
    const at::Tensor cosines = largest_cosines(g, refs).contiguous();
    std::copy_n(cosines.const_data_ptr<float>(), scores.size(), scores.begin());
    points_away = (refs * mean_gradient(g)).sum(at::IntArrayRef{1, 2}).max().item<double>() < 0;
  }
  Random room(seed_, "memory room", position);
  std::vector<int64_t> full;  // rows for which there is no free place
  for (int64_t row = 0; row < batch.size(); ++row) {
    if (memory.size() >= memory.capacity(batch.row_bytes(row))) {
      full.push_back(row);
      continue;
    }
    memory.put(memory.size(), batch, row, room);
    scores_[batch.ids()[static_cast<size_t>(row)]] = scores[static_cast<size_t>(row)];
  }
  if (points_away && !full.empty()) {
    const std::vector<int64_t> slots = victims(memory, std::ssize(full));
    for (size_t i = 0; i < slots.size(); ++i) {
      const int64_t id = batch.ids()[static_cast<size_t>(full[i])];
      const float own = scores[static_cast<size_t>(full[i])] + 1,
                  theirs = scores_[memory.ids()[static_cast<size_t>(slots[i])]] + 1;
      const float chance = own + theirs > 0 ? theirs / (own + theirs) : 0.5F;
      if (!Random(seed_, "gss", position, static_cast<uint64_t>(id)).chance(chance)) continue;
      scores_[id] = own - 1;
      if (memory.put(slots[i], batch, full[i], room)) break;  // slots are others now
    }
  }
  const std::map<int64_t, float> known = std::move(scores_);
  scores_.clear();
  for (const int64_t id : memory.ids())
    if (const auto at = known.find(id); at != known.end()) scores_.insert(*at);
}

// Without replacement, with probability proportional to the score from its smallest to its largest value.
std::vector<int64_t> GssPolicy::victims(const Memory& memory, int64_t count) const {
  std::vector<float> weights;
  for (const int64_t id : memory.ids()) weights.push_back(scores_.at(id));
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  const float least = *low, range = *high - *low;
  std::vector<std::pair<double, int64_t>> keys;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double weight = range > 0 ? std::max(1e-9F, (weights[i] - least) / range) : 1;
    Random random(seed_, "gss victims", static_cast<uint64_t>(offers_),
                  static_cast<uint64_t>(memory.ids()[i]));
    keys.emplace_back(-std::log(1.0 - static_cast<double>(random.uniform())) / weight,
                      static_cast<int64_t>(i));
  }
  std::sort(keys.begin(), keys.end());
  std::vector<int64_t> slots;
  for (int64_t i = 0; i < std::min<int64_t>(count, std::ssize(keys)); ++i)
    slots.push_back(keys[static_cast<size_t>(i)].second);
  return slots;
}

void GssPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "offers", offers_);
  std::vector<int64_t> ids;
  std::vector<float> scores;
  for (const auto& [id, score] : scores_) ids.push_back(id), scores.push_back(score);
  state.put_ints(prefix + "ids", ids);
  state.put_floats(prefix + "scores", scores);
}

void GssPolicy::load(const State& state, const std::string& prefix) {
  offers_ = state.value<int64_t>(prefix + "offers");
  const std::vector<int64_t> ids = state.ints(prefix + "ids");
  const std::vector<float> scores = state.floats(prefix + "scores");
  scores_.clear();
  for (size_t i = 0; i < std::min(ids.size(), scores.size()); ++i) scores_[ids[i]] = scores[i];
}

}  // namespace perennial
