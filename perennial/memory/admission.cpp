#include "perennial/memory/admission.h"

#include <numeric>
#include <utility>

namespace perennial {

std::vector<int64_t> candidate_labels(const Memory& memory, const Samples& batch) {
  std::vector<int64_t> labels;
  if (memory.size() > 0) labels.assign(memory.labels().begin(), memory.labels().end());
  labels.insert(labels.end(), batch.labels().begin(), batch.labels().end());
  return labels;
}

std::map<int64_t, std::vector<int64_t>> rows_by_label(std::span<const int64_t> labels) {
  std::map<int64_t, std::vector<int64_t>> rows;
  for (size_t i = 0; i < labels.size(); ++i) rows[labels[i]].push_back(static_cast<int64_t>(i));
  return rows;
}

std::vector<char> shrink_largest(
    std::span<const int64_t> labels, int64_t capacity, Random random,
    const std::function<size_t(int64_t label, const std::vector<int64_t>& rows)>& worst,
    const std::function<double(const std::vector<int64_t>& rows)>& cost) {
  auto classes = rows_by_label(labels);
  std::vector<char> stays(labels.size(), 1);
  for (auto left = std::ssize(labels); left > std::max<int64_t>(0, capacity); --left) {
    std::vector<int64_t> largest;
    std::pair<size_t, double> most;
    for (const auto& [label, rows] : classes) {
      if (rows.empty() || rows.size() < most.first) continue;
      const std::pair<size_t, double> here(rows.size(), cost ? -cost(rows) : 0);
      if (here < most) continue;
      if (here > most) largest.clear();
      most = here;
      largest.push_back(label);
    }
    const int64_t label = largest[random.below(static_cast<uint32_t>(largest.size()))];
    std::vector<int64_t>& rows = classes[label];
    const auto place = static_cast<std::ptrdiff_t>(worst(label, rows));
    stays[static_cast<size_t>(rows[static_cast<size_t>(place)])] = 0;
    rows.erase(rows.begin() + place);
  }
  return stays;
}

std::vector<int64_t> admit(Memory& memory, const Samples& batch, const std::vector<char>& stays,
                           Random random) {
  const int64_t before = memory.size();
  std::vector<int64_t> there(static_cast<size_t>(before)), free;
  std::iota(there.begin(), there.end(), 0);
  for (int64_t slot = 0; slot < before; ++slot)
    if (stays[static_cast<size_t>(slot)] == 0) free.push_back(slot);
  bool moved = false;
  auto next = free.begin();
  for (int64_t row = 0; row < batch.size(); ++row) {
    if (stays[static_cast<size_t>(before + row)] == 0) continue;
    const int64_t slot = next != free.end() && !moved ? *next++ : memory.size();
    moved = memory.put(slot, batch, row, random) || moved;
    if (slot == std::ssize(there)) there.push_back(0);
    if (slot < std::ssize(there)) there[static_cast<size_t>(slot)] = before + row;
  }
  if (moved || std::ssize(there) != memory.size()) there.clear();
  return there;
}

}  // namespace perennial
