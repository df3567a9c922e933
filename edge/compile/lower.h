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
  /// Its weight, bias, slope and skip_scale are numbers of `weights`, or kNoWeight.
  struct Op : OpRecord {
    ValueRange input_range;          ///< of what the weights meet
    std::vector<float> known_steps;  ///< of the weights' rows, or none
  };
  std::vector<Tensor> tensors;
  std::vector<Op> ops;
  std::vector<PortRecord> ports;
  std::string names;
  std::vector<std::vector<float>> weights;
};

/// Turns a folded graph into operations in an order in which they can run. Throws std::invalid_argument for a
/// scaling or shuffle that no convolution takes in.
Program lower(const Graph& graph);

/// Gives every tensor its place in the arena (floats); returns the arena's size.
uint64_t place(const Program& program, std::vector<uint64_t>& offsets);

}  // namespace perennial::edge
