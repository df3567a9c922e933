#pragma once

#include <string>

#include "edge/compile/graph.h"
#include "perennial/io/safetensors.h"

namespace perennial {

struct ImageNetworkOptions {
  int64_t side = 0;  ///< of the square input; 0: as the description or the weights' metadata say ("input":
                     ///< "224x224 ..."), or 224
  /// A network as text: edge/compile/description.h (an object), or listing.h for 8-bit weights (an array);
  /// empty: the one in the weights' metadata ("graph").
  std::string listing;
};

/// A network for the edge runtime: as its text says, or, without one, MobileNetV1 x0.25 told by its PyTorch
/// names (outputs "logits" and "features", as listings give them too). Throws std::invalid_argument that
/// says what is missing or of another shape.
edge::Graph image_network(const TensorFile& weights, const ImageNetworkOptions& options = {});

}  // namespace perennial
