#include "perennial/data/hold_out.h"

#include <algorithm>

#include "perennial/base/random.h"

namespace perennial {
namespace {

constexpr uint64_t kHoldOutSeed = 0x686f6c646f7574;

}  // namespace

std::vector<bool> held_out(const std::vector<uint64_t>& contents, double share) {
  std::vector<bool> out(contents.size());
  if (share <= 0 || contents.empty()) return out;
  if (share >= 1) return std::vector<bool>(contents.size(), true);
  std::vector<uint64_t> draws;
  for (const uint64_t content : contents) draws.push_back(mix64(content, kHoldOutSeed));
  const auto [lowest, highest] = std::minmax_element(draws.begin(), draws.end());
  if (*lowest == *highest) return out;  // nothing that could be tested has not been trained on
  for (size_t i = 0; i < draws.size(); ++i)
    out[i] = draws[i] != *highest && (static_cast<double>(draws[i]) < share * 0x1p64 || draws[i] == *lowest);
  return out;
}

}  // namespace perennial
