#pragma once

#include "edge/compile/graph.h"

namespace perennial::edge {

/// SINet for portraits (Park, Sjoesund, Yoo, Monet, Bang, Kwak: "SINet: Extreme Lightweight Portrait
/// Segmentation Networks with Spatial Squeeze Modules and Information Blocking Decoder", WACV 2020), from the
/// names of the published weights: input "image" [3, side, side], output "logits" [2, side, side]. `side` is
/// a multiple of 32. Throws std::invalid_argument naming a missing tensor or one of another shape.
Graph sinet_portrait(const WeightSource& weights, const ImageInput& image, int side = 224);

}  // namespace perennial::edge
