#pragma once

#include <cstdint>

namespace perennial {

struct Ratio {
  int64_t num = 0, den = 1;
};

/// value * num / den, rounded to the nearest; products of two numbers may be greater than 64 bits.
inline int64_t scaled(int64_t value, int64_t num, int64_t den) {
  __extension__ typedef __int128 Wide;
  const Wide above = static_cast<Wide>(value) * num * 2 + den, below = static_cast<Wide>(den) * 2;
  return static_cast<int64_t>(above / below - (above % below < 0 ? 1 : 0));
}

}  // namespace perennial
