#pragma once

#include <string>

#include "edge/compile/graph.h"

namespace perennial::edge {

/// The graph as an ONNX file (IR 8, operators of set 17): float32 inputs and outputs [1, channels, height,
/// width] under their names. An image input takes standardised values, not pixels. Normalisations are folded
/// (fold_norms()), and activations are written as those that runtimes join to a convolution (Relu, LeakyRelu,
/// Clip) where they are ones.
std::string to_onnx(Graph graph, const std::string& name);

}  // namespace perennial::edge
