#include "perennial/memory/puridiver.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/tensor.h>

#include "perennial/memory/admission.h"

namespace perennial {
namespace {

/// Standardised by the population's deviation; all zero when they are equal.
double standardised(double value, double sum, double squares, int64_t count) {
  const double mean = sum / static_cast<double>(count);
  const double variance = squares / static_cast<double>(count) - mean * mean;
  return variance > 1e-12 * std::max(1.0, mean * mean) ? (value - mean) / std::sqrt(variance) : 0;
}

std::vector<double> doubles(const at::Tensor& values) {
  const at::Tensor all = values.to(at::kDouble).contiguous();
  return {all.const_data_ptr<double>(), all.const_data_ptr<double>() + all.numel()};
}

double alpha_of(double balance, double loss) {
  return std::isfinite(loss) && loss > 1 ? balance / loss : balance;
}

}  // namespace

PurityDiversity::PurityDiversity(const at::Tensor& features, const at::Tensor& losses,
                                 const at::Tensor& relevant)
    : left_(static_cast<size_t>(features.size(0))) {
  std::iota(left_.begin(), left_.end(), size_t{0});
  at::Tensor f = features.index_select(1, at::nonzero(relevant).squeeze(1));
  units_ = f / f.norm(2, {1}, true).clamp_min(1e-12);
  losses_ = doubles(losses);
  sums_ = doubles(units_.matmul(units_.sum(0)));
  for (const double loss : losses_) loss_sum_ += loss, loss_squares_ += loss * loss;
}

int64_t PurityDiversity::remove_worst(double alpha) {
  const auto left = std::ssize(left_);
  double sum = 0, squares = 0;
  for (const size_t i : left_) sum += sums_[i], squares += sums_[i] * sums_[i];
  int64_t worst = 0;
  double highest = 0;
  for (int64_t place = 0; place < left; ++place) {
    const size_t i = left_[static_cast<size_t>(place)];
    // The mean cosine is its sum by a constant, which standardisation takes out again.
    const double score = (1 - alpha) * standardised(losses_[i], loss_sum_, loss_squares_, left) +
                         alpha * standardised(sums_[i], sum, squares, left);
    if (place > 0 && score <= highest) continue;
    worst = place;
    highest = score;
  }
  const size_t gone = left_[static_cast<size_t>(worst)];
  left_.erase(left_.begin() + worst);
  loss_sum_ -= losses_[gone];
  loss_squares_ -= losses_[gone] * losses_[gone];
  const std::vector<double> cosines = doubles(units_.matmul(units_[static_cast<int64_t>(gone)]));
  for (const size_t i : left_) sums_[i] -= cosines[i];
  return worst;
}

at::Tensor PurityDiversity::relevant_dimensions(const at::Tensor& head_weight, int64_t row) {
  return head_weight[row] > head_weight.mean(0);
}

void PuridiverPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence& ask) {
  const int64_t all = memory.size() + batch.size(), capacity = memory.capacity(batch);
  const auto position = static_cast<uint64_t>(++offers_);
  std::vector<char> stays(static_cast<size_t>(all), 1);
  Known known;
  if (all > capacity) {
    const auto evidence = ask(concat(memory.samples(), batch));
    known = look_at(memory, batch, *evidence, ask);
    stays = choose(known, *evidence, capacity);
  }
  const auto there = admit(memory, batch, stays, Random(seed_, "memory room", position));
  kept_ = {};
  if (refresh_ > 1 && known.features.defined() && !there.empty())
    kept_ = {known.features.index_select(0, at::tensor(there)),
             known.losses.index_select(0, at::tensor(there))};
}

PuridiverPolicy::Known PuridiverPolicy::look_at(const Memory& memory, const Samples& batch, Evidence& all,
                                                const AskEvidence& ask) {
  const bool stale =
      !kept_.features.defined() || kept_.features.size(0) != memory.size() || offers_ % refresh_ == 0;
  if (stale) {
    const at::Tensor& features = all.features();  // before the losses, which then cost next to nothing
    return {features, all.losses()};
  }
  const auto of_batch = ask(batch);
  const at::Tensor& features = of_batch->features();
  return {at::cat({kept_.features, features}), at::cat({kept_.losses, of_batch->losses()})};
}

std::vector<char> PuridiverPolicy::choose(const Known& known, Evidence& evidence, int64_t capacity) const {
  const at::Tensor& rows = evidence.rows();
  const std::span<const int64_t> classes(rows.const_data_ptr<int64_t>(), static_cast<size_t>(rows.size(0)));
  const double alpha = purity_ ? alpha_of(balance_, evidence.training_loss()) : 1;
  std::map<int64_t, std::unique_ptr<PurityDiversity>> scores;
  return shrink_largest(classes, capacity, Random(seed_, "puridiver", static_cast<uint64_t>(offers_)),
                        [&](int64_t row, const std::vector<int64_t>& own) {
                          auto& score = scores[row];
                          if (!score)
                            score = std::make_unique<PurityDiversity>(
                                known.features.index_select(0, at::tensor(own)),
                                known.losses.index_select(0, at::tensor(own)),
                                PurityDiversity::relevant_dimensions(evidence.head_weight(), row));
                          return static_cast<size_t>(score->remove_worst(alpha));
                        });
}

void PuridiverPolicy::save(State& state, const std::string& prefix) const {
  state.put(prefix + "offers", offers_);
  if (!kept_.features.defined()) return;
  state.tensors[prefix + "features"] = kept_.features;
  state.tensors[prefix + "losses"] = kept_.losses;
}

void PuridiverPolicy::load(const State& state, const std::string& prefix) {
  offers_ = state.value<int64_t>(prefix + "offers");
  kept_ = {};
  if (!state.has_tensor(prefix + "features")) return;
  kept_ = {state.tensor(prefix + "features"), state.tensor(prefix + "losses")};
}

}  // namespace perennial
