#pragma once

#include <string>
#include <vector>

#include "edge/compile/graph.h"
#include "edge/format.h"

namespace perennial::edge {

/// A program for the engine before its tensors have places.
struct Program {
  struct Tensor {
    int channels, height, width;
    int inside = -1, first = 0;  ///< part of that tensor, from that channel on
  };
  std::vector<Tensor> tensors;
  std::vector<OpRecord> ops;
  std::vector<PortRecord> ports;
  std::string names;
  std::vector<float> weights;
};

/// Turns a folded graph into operations in an order in which they can run.
Program lower(const Graph& graph);

/// Gives every tensor its place in the arena (floats); returns the arena's size.
uint64_t place(const Program& program, std::vector<uint64_t>& offsets);

}  // namespace perennial::edge
