#pragma once

#include <string>

#include "edge/compile/graph.h"
#include "perennial/io/safetensors.h"

namespace perennial {

struct ImageNetworkOptions {
  int64_t side =
      0;  ///< of the square input; 0: as the weights' metadata say ("input": "224x224 ..."), or 224
  std::string listing;  ///< edge/compile/listing.h; empty: the one in the weights' metadata ("graph")
};

/// A classifier of images for the edge runtime, with outputs "logits" and "features", told from its weights:
/// MobileNetV1 x0.25 by its PyTorch names, or 8-bit weights by their listing. Throws std::invalid_argument
/// that says what is missing or of another shape.
edge::Graph image_network(const TensorFile& weights, const ImageNetworkOptions& options = {});

}  // namespace perennial
