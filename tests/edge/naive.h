#pragma once

#include <vector>

#include "edge/compile/graph.h"

namespace perennial::edge::naive {

enum class Arithmetic { kFloats, kIntegers };

/// A graph evaluated node by node in double precision, without any rewriting: what the compiled model is
/// compared with. With kIntegers, where a node has a range, convolutions that are not depthwise and dense
/// layers read what it gives rounded to that range.
std::vector<double> evaluate(const Graph& graph, const std::vector<float>& input, size_t output = 0,
                             Arithmetic arithmetic = Arithmetic::kFloats);

/// The largest difference between what the compiled graph gives for an image of numbers up to 1 and what
/// evaluate() gives, over all outputs and instruction sets, in parts of 1 + the number itself.
double worst_difference(const Graph& graph);

/// Weights drawn for a name and shape, alike for like names; variances are positive.
std::vector<float> random_weight(const std::string& name, const std::vector<int64_t>& shape);

}  // namespace perennial::edge::naive
