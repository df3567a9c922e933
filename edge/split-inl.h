#pragma once

#include <algorithm>
#include <type_traits>

#include "edge/engine.h"

namespace perennial::edge {

inline constexpr size_t kPartsOfThread = 2;
inline constexpr size_t kPixels = 64;        // what a part of a plane is a multiple of
inline constexpr size_t kLeastCost = 50000;  // multiply-adds that take about as long as handing over a part

// Parts of at least `least` items that are worth a thread's coming: `cost` is that of an item, in
// multiply-adds. Work is called with a range, and the part's number where it takes one.
template <class Work>
void Engine::split(size_t items, size_t least, size_t cost, const Work& work) {
  const auto do_part = [&work](Range range, size_t part) {
    if constexpr (std::is_invocable_v<const Work&, Range, size_t>)
      work(range, part);
    else
      work(range);
  };
  if (pool_ == nullptr) return do_part(Range{0, items}, 0);
  const size_t most = items / std::max(least, kLeastCost / std::max<size_t>(cost, 1));
  const size_t parts = std::clamp<size_t>(kPartsOfThread * pool_->threads(), 1, std::max<size_t>(most, 1));
  if (parts == 1) return do_part(Range{0, items}, 0);
  pool_->run(parts,
             [&](size_t part) { do_part(Range{items * part / parts, items * (part + 1) / parts}, part); });
}

template <class Work>
void Engine::split_pixels(size_t pixels, size_t cost, const Work& work) {
  const auto whole = [pixels](Range part) {
    return Range{part.begin * kPixels, std::min(pixels, part.end * kPixels)};
  };
  split((pixels + kPixels - 1) / kPixels, 1, kPixels * cost, [&](Range range, size_t part) {
    if constexpr (std::is_invocable_v<const Work&, Range, size_t>)
      work(whole(range), part);
    else
      work(whole(range));
  });
}

}  // namespace perennial::edge
