#include "perennial/memory/memory.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

int64_t bytes_per_row(const Samples& like) { return like.empty() ? 0 : like.bytes() / like.size(); }

}  // namespace

MemoryBudget MemoryBudget::parse(std::string_view text) {
  MemoryBudget budget;
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    budget.samples = parse_int(text, "memory");
  } else {
    // A number alone is of samples, and they are counted in whole ones.
    const bool unit = !text.empty() && std::isalpha(static_cast<unsigned char>(text.back())) != 0;
    if (!unit || text.front() == '-')
      throw std::invalid_argument("memory: expected samples (500) or bytes (50MB), found '" +
                                  std::string(text) + "'");
    try {
      budget.bytes = parse_bytes(text);
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument(std::string("memory: ") + e.what());
    }
    budget.samples = 0;
    if (budget.bytes == 0) throw std::invalid_argument("memory: a budget in bytes must be positive");
  }
  return budget;
}

std::string MemoryBudget::text() const {
  return bytes > 0 ? fmt::format("{}B", bytes) : fmt::format("{}", samples);
}

int64_t MemoryBudget::capacity(const Samples& like) const {
  if (bytes == 0) return samples;
  return like.empty() ? 0 : bytes / std::max<int64_t>(1, bytes_per_row(like));
}

void Memory::replace(Samples samples, std::vector<float> scores) {
  if (samples.size() > capacity(samples))
    throw std::invalid_argument(
        fmt::format("{} samples do not fit a memory of {}", samples.size(), capacity(samples)));
  if (!scores.empty() && static_cast<int64_t>(scores.size()) != samples.size())
    throw std::invalid_argument("one score per sample, or none");
  samples_ = std::move(samples);
  scores_ = std::move(scores);
}

void Memory::append(const Samples& from, int64_t row) {
  replace(concat(samples_, take(from, std::span<const int64_t>(&row, 1))));
}

void Memory::overwrite(int64_t slot, const Samples& from, int64_t row) {
  samples_.inputs.select(0, slot).copy_(from.inputs.select(0, row));
  samples_.targets.select(0, slot).copy_(from.targets.select(0, row));
  samples_.ids[static_cast<size_t>(slot)] = from.ids[static_cast<size_t>(row)];
}

void Memory::save(State& state, const std::string& prefix) const {
  save_samples(samples_, state, prefix + "samples.");
  state.put_floats(prefix + "scores", scores_);
}

void Memory::load(const State& state, const std::string& prefix) {
  replace(load_samples(state, prefix + "samples."), state.floats(prefix + "scores"));
}

}  // namespace perennial
