#pragma once

#include <string>
#include <vector>

#include "edge/compile/graph.h"

namespace perennial::edge {

/// The backbones that classifier() knows, by the names that `perennial learn --model` has for them: mlp400,
/// resnet18, resnet20, resnet32, resnet34, efficientnet_lite0.
std::vector<std::string> classifier_names();

/// A classifier as `perennial learn` saves it: tensors "backbone.*", and a head "head.*" that is linear
/// (weight, bias) or linear with batch normalisation (weight, bn.*). How many channels its layers have, the
/// weights say. Input "image" [3, side, side], outputs "logits" [rows of the head] and "features", what the
/// head reads. Throws std::invalid_argument for another name, and for a tensor that is missing or of another
/// shape.
Graph classifier(const std::string& backbone, const Weights& weights, const ImageInput& image, int side);

}  // namespace perennial::edge
