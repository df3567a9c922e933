#include "perennial/memory/epoch_order.h"

#include <algorithm>

#include "perennial/base/random.h"

namespace perennial {
namespace {

constexpr int64_t kMostBatches = int64_t{1} << 32;

}  // namespace

void EpochOrder::run(int64_t samples, int64_t batch, int64_t began, const std::string& title,
                     Progress& progress, const Work& work) {
  if (at_ == 0) began_ = began;
  const auto order = permutation(samples, Random(seed_, purpose_, static_cast<uint64_t>(began_)));
  const int64_t batches = (samples + batch - 1) / batch;
  const ProgressPart part(progress, title, samples, at_ * batch);
  for (; at_ < batches; ++at_) {
    if (progress.stop_requested()) throw Interrupted{};
    const int64_t first = at_ * batch, count = std::min(batch, samples - first);
    work(std::span(order).subspan(static_cast<size_t>(first), static_cast<size_t>(count)), at_, batches);
    progress.advance(count);
  }
  at_ = 0;
}

void EpochOrder::save(State& state, const std::string& prefix) const {
  state.put(prefix + "epoch_at", at_);
  state.put(prefix + "epoch_began", began_);
}

void EpochOrder::load(const State& state, const std::string& prefix) {
  at_ = std::clamp<int64_t>(state.value<int64_t>(prefix + "epoch_at"), 0, kMostBatches);
  began_ = state.value<int64_t>(prefix + "epoch_began");
}

}  // namespace perennial
