#include "perennial/base/random.h"

#include <cmath>
#include <numbers>

namespace perennial {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

Random::Random(uint64_t seed, std::string_view purpose, uint64_t position, uint64_t id) {
  const uint64_t key = hash64(purpose, mix64(seed, position));
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  counter_ = {0, 0, static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32)};
}

uint32_t Random::next() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[used_++];
}

uint32_t Random::below(uint32_t n) {
  // Lemire's multiply-shift with rejection.
  uint64_t product = uint64_t{next()} * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t threshold = (0U - n) % n;
    while (static_cast<uint32_t>(product) < threshold) product = uint64_t{next()} * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

double Random::normal() {
  const double u = (next() + 1.0) * 0x1p-32;
  const double v = next() * 0x1p-32;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::vector<int64_t> permutation(int64_t n, Random random) {
  std::vector<int64_t> order(n);
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  shuffle(order, random);
  return order;
}

uint64_t mix64(uint64_t a, uint64_t b) {
  uint64_t x = a + 0x9E3779B97F4A7C15ULL * (b + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

uint64_t hash64(std::string_view bytes, uint64_t seed) {
  uint64_t h = 0xCBF29CE484222325ULL ^ seed;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix64(h, bytes.size());
}

}  // namespace perennial
