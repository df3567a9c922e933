#pragma once

#include <filesystem>

#include "edge/compile/graph.h"
#include "perennial/io/safetensors.h"
#include "perennial/tasks/sinet_preprocess.h"

namespace perennial {

/// SINet for portraits as the edge runtime's compiler takes it (edge_model.h), from weights under their
/// published names: input "image" [3, side, side], blue, green, red, standardised and divided by 255 as
/// sinet_preprocess() does; output "logits" [2, side, side]. `side` is a multiple of 32. Throws
/// std::invalid_argument naming a tensor that is missing or of another shape.
edge::Graph sinet_graph(const TensorFile& weights, int64_t side = 224,
                        const SinetStatistics& statistics = kSinetPortrait);

/// The model that is used when none is named: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the
/// cache folder. Throws Error that says how to put one there.
std::filesystem::path default_matte_model();

}  // namespace perennial
