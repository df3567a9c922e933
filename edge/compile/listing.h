#pragma once

#include <string>

#include "edge/compile/graph.h"

namespace perennial::edge {

/// A network from a list of its operations, as 8-bit checkpoints made of TensorFlow Lite files carry it:
/// JSON, an array in the order of computation, each of
///   {"op": "CONV_2D" | "DEPTHWISE_CONV_2D", "in": [VALUE], "out": VALUE, "weight": NAME, "bias": NAME,
///    "w_scale": S, "w_zero": Z, "stride": 1 | 2, "padding": "SAME", "activation": "relu6" | "none"}
///   {"op": "ADD", "in": [VALUE, VALUE], "out": VALUE, "activation": ...}
///   {"op": "AVERAGE_POOL_2D", "in": [VALUE], "out": VALUE, "kernel": [HEIGHT, WIDTH]}   of the whole plane
///   {"op": "RESHAPE" | "SOFTMAX", "in": [VALUE], "out": VALUE}                          nothing is done
/// Values are numbers; the one that nothing gives is the image. Weights are [out][height][width][in]
/// (depthwise [1][height][width][channels]) integers of 8 bits that stand for S * (q - Z), biases float32.
///
/// Input "image" [3, side, side]; outputs "logits", what the last operation gives, and "features", the means
/// of the planes that it is computed from. Throws std::invalid_argument that says where in the list something
/// is wrong.
Graph read_listing(const std::string& json, const Weights& weights, const ImageInput& image, int side);

}  // namespace perennial::edge
