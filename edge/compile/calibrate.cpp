#include "edge/compile/calibrate.h"

#include <algorithm>
#include <cmath>

#include "edge/compile/compile.h"

namespace perennial::edge {

void Histogram::add(float value) {
  if (!std::isfinite(value)) return;
  while (std::abs(value) >= width_ * kBins) widen();
  const int bin = static_cast<int>(std::floor(value / width_)) + kBins;
  ++counts_[static_cast<size_t>(bin)];
}

void Histogram::widen() {
  std::vector<uint64_t> wider(counts_.size());
  for (size_t i = 0; i < counts_.size(); ++i) wider[counts_.size() / 4 + i / 2] += counts_[i];
  counts_ = std::move(wider);
  width_ *= 2;
}

double Histogram::loss(const ValueRange& range) const {
  double sum = 0;
  for (int i = 0; i < 2 * kBins; ++i) {
    const auto count = static_cast<double>(counts_[static_cast<size_t>(i)]);
    if (count == 0) continue;
    const double value = (i - kBins + 0.5) * width_, zero = range.zero;
    const double level = std::clamp(std::nearbyint(value / range.step) + zero, 0.0, 255.0);
    const double off = value - range.step * (level - zero);
    sum += count * off * off;
  }
  return sum;
}

ValueRange Histogram::best_range() const {
  const auto some = [](uint64_t count) { return count > 0; };
  const auto first = std::find_if(counts_.begin(), counts_.end(), some) - counts_.begin() - kBins;
  const auto last = counts_.rend() - std::find_if(counts_.rbegin(), counts_.rend(), some) - kBins;
  const float low = std::min(0.0F, static_cast<float>(first) * width_),
              high = std::max(0.0F, static_cast<float>(last) * width_);
  if (first == kBins) return {};
  constexpr int kSteps = 20;
  ValueRange best = range_of(low, high);
  double least = loss(best);
  for (int i = 1; i <= kSteps; ++i)
    for (int j = 1; j <= kSteps; ++j) {
      if (i == kSteps && j == kSteps) continue;
      const ValueRange range =
          range_of(low * static_cast<float>(i) / kSteps, high * static_cast<float>(j) / kSteps);
      const double now = range.step > 0 ? loss(range) : least;
      if (now < least) best = range, least = now;
    }
  return best;
}

Calibrator::Calibrator(const Graph& graph)
    : bytes_(compile(graph)), engine_(Model::from_memory(bytes_)), seen_(engine_.model().ops().size()) {}

void Calibrator::observe() {
  engine_.run([this](size_t op, double) { see(op); });
}

void Calibrator::see(size_t op) {
  const OpRecord& record = engine_.model().ops()[op];
  if (!sums_integers(record.kind)) return;
  const auto values = engine_.tensor(record.input);
  const size_t plane = values.size() / engine_.model().tensors()[record.input].channels;
  for (size_t i = 0; i < values.size(); ++i)
    seen_[op].add(values[i] *
                  (record.input_scale == kNoTensor ? 1.0F : engine_.tensor(record.input_scale)[i / plane]));
}

std::vector<ValueRange> Calibrator::ranges() const {
  std::vector<ValueRange> all(seen_.size());
  std::transform(seen_.begin(), seen_.end(), all.begin(), [](const Histogram& h) { return h.best_range(); });
  return all;
}

}  // namespace perennial::edge
