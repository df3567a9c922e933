#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace perennial {

/// Philox4x32-10 (Salmon et al., SC 2011): four 32-bit words, a pure function of counter and key.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A random sequence that is a function of (seed, purpose, position, sample id) and of nothing else: not of
/// thread count, batch split or wall time. Purposes are short names such as "crop"; position is whatever
/// counts the use (a step, an epoch). Cheap to make: make one per sample.
class Random {
 public:
  Random(uint64_t seed, std::string_view purpose, uint64_t position = 0, uint64_t id = 0);

  uint32_t next();
  /// Uniform in [0, 1) with 24 bits.
  float uniform() { return static_cast<float>(next() >> 8) * 0x1p-24F; }
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Uniform in {0, ..., n-1}, unbiased; n >= 1.
  uint32_t below(uint32_t n);
  bool chance(float probability) { return uniform() < probability; }
  /// Standard normal (Box-Muller).
  double normal();

 private:
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

/// A uniformly random order of 0..n-1 (Fisher-Yates).
std::vector<int64_t> permutation(int64_t n, Random random);

/// Shuffles in place (Fisher-Yates).
template <class T>
void shuffle(std::vector<T>& values, Random& random) {
  for (size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[random.below(static_cast<uint32_t>(i))]);
}

/// A 64-bit hash of bytes (FNV-1a, then a finalising mix). Stable across versions: saved files rely on it.
uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

/// A stateless mix of two words, for tie-breaks and derived seeds.
uint64_t mix64(uint64_t a, uint64_t b);

}  // namespace perennial
