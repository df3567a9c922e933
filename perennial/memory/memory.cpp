#include "perennial/memory/memory.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

void require_scores(const std::vector<float>& scores, size_t rows) {
  if (!scores.empty() && scores.size() != rows) throw std::invalid_argument("one score per sample, or none");
}

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

int64_t MemoryBudget::capacity(double row_bytes) const {
  return bytes > 0 ? static_cast<int64_t>(static_cast<double>(bytes) / std::max(1.0, row_bytes)) : samples;
}

int64_t Memory::capacity(const Samples& like) const {
  if (budget_.bytes == 0) return budget_.samples;
  return like.empty()
             ? 0
             : budget_.capacity(static_cast<double>(like.bytes()) / static_cast<double>(like.size()));
}

int64_t Memory::capacity(int64_t row_bytes) const {
  return budget_.capacity(static_cast<double>(bytes() + row_bytes) / static_cast<double>(size() + 1));
}

bool Memory::fits(int64_t more_rows, int64_t more_bytes) const {
  return budget_.bytes > 0 ? bytes() + more_bytes <= budget_.bytes : size() + more_rows <= budget_.samples;
}

void Memory::replace(Samples samples, std::vector<float> scores) {
  const bool fit = budget_.bytes > 0 ? samples.bytes() <= budget_.bytes : samples.size() <= budget_.samples;
  if (!fit)
    throw std::invalid_argument(fmt::format("{} samples of {} bytes do not fit a memory of {}",
                                            samples.size(), samples.bytes(), budget_.text()));
  require_scores(scores, samples.ids().size());
  rows_ = RowStore(std::move(samples));
  scores_ = std::move(scores);
}

void Memory::keep(const Samples& from, std::vector<int64_t> rows, std::vector<float> scores, Random random) {
  require_scores(scores, rows.size());
  int64_t bytes = 0;
  for (const int64_t row : rows) bytes += from.row_bytes(row);
  while (budget_.bytes > 0 && bytes > budget_.bytes) {
    const uint32_t k = random.below(static_cast<uint32_t>(rows.size()));
    bytes -= from.row_bytes(rows[k]);
    rows.erase(rows.begin() + k);
    if (!scores.empty()) scores.erase(scores.begin() + k);
  }
  replace(perennial::take(from, rows), std::move(scores));
}

void Memory::append(const Samples& from, int64_t row) {
  if (!fits(1, from.row_bytes(row)))
    throw std::invalid_argument("a memory of " + budget_.text() + " has no room for one more");
  rows_.append(from, row, capacity(from.row_bytes(row)));
  scores_.clear();
}

bool Memory::could_hold(const Samples& from, int64_t row) const {
  return budget_.bytes > 0 ? from.row_bytes(row) <= budget_.bytes : budget_.samples > 0;
}

bool Memory::put(int64_t slot, const Samples& from, int64_t row, Random random) {
  const int64_t bytes = from.row_bytes(row);
  if (!could_hold(from, row)) return false;
  rows_.require_like(from);
  const bool there = slot < size();
  if (fits(there ? 0 : 1, there ? bytes - rows_.row_bytes(slot) : bytes)) {
    if (!there) return append(from, row), false;
    rows_.overwrite(slot, from, row);
    scores_.clear();
    return false;
  }
  scores_.clear();
  if (there) rows_.remove(slot);
  while (size() > 0 && !fits(1, bytes)) rows_.remove(random.below(static_cast<uint32_t>(size())));
  append(from, row);
  return true;
}

void Memory::save(State& state, const std::string& prefix) const {
  save_samples(samples(), state, prefix + "samples.");
  state.put_floats(prefix + "scores", scores_);
}

void Memory::load(const State& state, const std::string& prefix) {
  try {
    replace(load_samples(state, prefix + "samples."), state.floats(prefix + "scores"));
  } catch (const std::invalid_argument& e) {
    throw Error(
        {"reading a saved state", state.source, "a memory that fits its budget in " + prefix, e.what()});
  }
}

}  // namespace perennial
