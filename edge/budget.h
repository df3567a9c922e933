#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edge/model.h"

namespace perennial::edge {

/// What one handle may hold in memory. Whoever allocates takes first, so that nothing beyond it is ever asked
/// of the system.
class Budget {
 public:
  explicit Budget(uint64_t most) : most_(most) {}

  /// Throws BadModel when that is more than is left.
  void take(uint64_t bytes) {
    if (bytes > most_ - taken_)
      throw BadModel("a model that needs more than " + std::to_string(most_) + " bytes of memory");
    taken_ += bytes;
  }
  void give(uint64_t bytes) { taken_ -= bytes; }
  uint64_t taken() const { return taken_; }

 private:
  uint64_t most_, taken_ = 0;
};

/// Makes a vector of `count` elements, whatever is in them. What it grows to is taken before what it had is
/// given back (budget null: from nowhere); when that fails, the vector is as it was.
template <class T>
void resize(std::vector<T>& v, uint64_t count, Budget* budget) {
  if (count > v.capacity()) {
    if (budget != nullptr) budget->take(count * sizeof(T));
    std::vector<T> grown;
    try {
      grown.reserve(count);
    } catch (...) {
      if (budget != nullptr) budget->give(count * sizeof(T));
      throw;
    }
    v.swap(grown);
    if (budget != nullptr) budget->give(grown.capacity() * sizeof(T));
  }
  v.resize(count);
}

}  // namespace perennial::edge
