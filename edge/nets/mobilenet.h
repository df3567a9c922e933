#pragma once

#include "edge/compile/graph.h"

namespace perennial::edge {

/// MobileNetV1 of a quarter of its width (Howard et al., "MobileNets: Efficient Convolutional Neural Networks
/// for Mobile Vision Applications", 2017) with leaky rectifiers, from the names of weights trained in
/// PyTorch (stage1.0.0, ..., fc): input "image" [3, side, side], outputs "logits" [1000] and "features"
/// [256], the means of the last planes. Throws std::invalid_argument naming a missing tensor or one of
/// another shape.
Graph mobilenet_v1_025(const WeightSource& weights, const ImageInput& image, int side = 224);

}  // namespace perennial::edge
