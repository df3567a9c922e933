#pragma once

#include <cstddef>
#include <vector>

#include "edge/compile/graph.h"

namespace perennial::edge {

/// The graph as a .peb file: folded (fold.h), every residual sum and activation in the operation before it,
/// tensors laid into one arena so that those alive at the same time do not overlap and concatenations cost
/// nothing. Weights below 1e-12 become zero: subnormal ones make processors slow and change no result. Throws
/// std::invalid_argument for what no operation can do, for what the runtime would refuse to load, or for
/// another count of ranges than of operations.
std::vector<std::byte> compile(Graph graph, const Precision& precision = {});

}  // namespace perennial::edge
