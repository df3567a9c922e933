#pragma once

#include "edge/compile/graph.h"

namespace perennial::edge {

/// ExtremeC3Net for portraits (Park, Sjoesund, Yoo, Bang, Kwak: "ExtremeC3Net: Extreme Lightweight Portrait
/// Segmentation Networks with Advanced C3-modules", arXiv 1908.03093) as perennial/nn/extremec3.h
/// reconstructs it, from the names of the published weights: input "image" [3, side, side], output "logits"
/// [2, side, side], of which the first, the background's, is zero: the network has one logit. `side` is a
/// multiple of 4. Throws std::invalid_argument naming a missing tensor or one of another shape.
Graph extremec3_portrait(const WeightSource& weights, const ImageInput& image, int side = 224);

}  // namespace perennial::edge
