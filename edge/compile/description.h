#pragma once

#include <string>

#include "edge/compile/graph.h"

namespace perennial::edge {

/// A network of one's own as text: JSON that says which layers follow one another. How many channels they
/// have and how large their kernels are, the weights say.
///   {"image": {"side": 224, "channels": 3, "mean": [R, G, B], "std": [R, G, B], "divisor": 255, "bgr":
///   false},
///    "eps": 1e-5,
///    "layers": [{"conv": "stem.conv", "stride": 2, "norm": "stem.bn", "prelu": "stem.act", "as": "stem"},
///               {"conv": "block.expand", "clamp": [0, 6]},
///               {"add": ["stem"]},
///               {"means": true, "as": "features"},
///               {"dense": "fc"}],
///    "outputs": {"features": "features", "logits": "last"}}
/// `image`: side and channels (3) of the input, whose value is called "image"; a pixel becomes
/// (pixel - mean) / std / divisor, mean and std in the order of the planes; without a divisor the input is no
/// image. `eps` (1e-5) is that of every "norm".
///
/// A layer reads "in" (a value's name; the layer before) and does what it names, in this order:
///   one of  "concat": [NAME, ...]   planes of all, one after the other ("in" is not read)
///           "add": [NAME, ...]      to what it reads
///           "pool": F               means of blocks of F x F
///           "max_pool": K           the largest of K x K, half of which reach beyond the plane on every
///           side;
///                                   "stride": 1 | 2 (1)
///           "resize": F             F times as large, bilinear; "align_corners": true | false (false)
///           "means": true           of each plane
///           "flatten": true         planes one behind the other, for a dense layer
///           "shuffle": G            channels of G groups by turns; right behind a 1x1 convolution of G
///                                   groups that nothing else reads
///           "scale": NAME           by one number for each channel; a 1x1 convolution alone reads it
///           "gate": NAME            SINet's information blocking: reads the coarse map, NAME is the detail
///           "conv": NAME            NAME.weight [outputs, inputs by group, height, width], and NAME.bias
///                                   if it is there; "stride": 1 | 2 (1), "dilation": D (1), "same": true |
///                                   false (false: half of what the kernel reaches over, in zeros, on every
///                                   side; true: TensorFlow's SAME); 1x1, depthwise or one group
///           "dense": NAME           NAME.weight [outputs, inputs], NAME.bias if there is one
///   "norm": NAME                    batch normalisation: NAME.weight, .bias, .running_mean, .running_var
///   one of  "prelu": NAME           NAME.weight, a slope for each channel
///           "leaky": S              the slope S for every channel; 0: a rectifier
///           "clamp": [LOW, HIGH]
/// and gives it the name "as". Outputs are values by name; "last" is the last layer's.
///
/// Throws std::invalid_argument that names the layer, what was expected, and a tensor that is missing or of
/// another shape. `side` 0: as the description says.
Graph read_description(const std::string& json, const Weights& weights, int side = 0);

}  // namespace perennial::edge
