#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "edge/compile/graph.h"
#include "edge/format.h"
#include "perennial/io/safetensors.h"

namespace perennial {

/// The tensors of a file as the edge runtime's compiler takes them: float32, whatever they were stored in;
/// integers are marked.
edge::Weights edge_weights(const TensorFile& file);

struct EdgePrecision {
  edge::Dtype weights = edge::Dtype::kFloat32;
  /// For kInt8: photographs like those that the model will see, by which the ranges of what lies between the
  /// operations are found where the graph knows none. Those of unknown range are computed in float32.
  std::vector<std::filesystem::path> calibration;
  bool skip_bad = false;  ///< leave out photographs that cannot be read, as long as there are others
};

/// A network of one image input as a model file (.peb). Throws std::invalid_argument for what no operation
/// can do; Error that names photographs that cannot be decoded.
std::vector<std::byte> compile_for_edge(const edge::Graph& graph, const EdgePrecision& precision = {});

}  // namespace perennial
