#pragma once

#include <filesystem>

#include "edge/compile/graph.h"
#include "perennial/io/weights.h"
#include "perennial/tasks/segment/sinet_preprocess.h"

namespace perennial {

/// What network weights are of: its tensors tell the variant, a run that trained it the rest.
struct MatteNet {
  std::string variant = "portrait";  ///< portrait (SINet) | extremec3
  int64_t size = 224;                ///< side of the input
  bool gate = true;                  ///< information blocking
  int64_t classes = 2;  ///< logits a pixel of SINet: background and foreground, or 1 for foreground
};
MatteNet matte_net(const TensorFile& weights);

/// SINet or ExtremeC3 for portraits as the edge runtime's compiler takes them (edge_model.h), from weights
/// under their published names: input "image" [3, side, side], blue, green, red, standardised and divided by
/// 255 as sinet_preprocess() does; output "logits" [2, side, side]. `side` is a multiple of 32; 0: as
/// trained. SINet of one logit gets a second one, zero for the background. Throws Error naming a tensor that
/// is missing, of another shape or without numbers; std::invalid_argument for a side that cannot be, or for
/// SINet without its gate, which the runtime does not have.
edge::Graph matte_graph(const TrainedWeights& weights, int64_t side = 0,
                        const SinetStatistics& statistics = kSinetPortrait);

/// The model that is used when none is named: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the
/// cache folder. Throws Error that says how to put one there.
std::filesystem::path default_matte_model();

}  // namespace perennial
