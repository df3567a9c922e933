#pragma once

#include <string>

#include "edge/compile/graph.h"

namespace perennial::edge {

/// The graph, not folded, as an ONNX file (IR 8, operators of set 17): float32 inputs and outputs
/// [1, channels, height, width] under their names. An image input takes standardised values, not pixels.
std::string to_onnx(const Graph& graph, const std::string& name);

}  // namespace perennial::edge
