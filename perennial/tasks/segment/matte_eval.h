#pragma once

#include <vector>

#include "perennial/nn/sinet.h"
#include "perennial/tasks/segment/matte_data.h"
#include "perennial/tasks/segment/matte_runner.h"
#include "perennial/tasks/segment/segmentation_metrics.h"
#include "perennial/tasks/segment/sinet_preprocess.h"

namespace perennial {

namespace edge {
class Engine;
}

/// Mattes of uint8 RGB images [N, 3, H, W] at the network's input size: uint8 [N, H, W], 1 where the last
/// class wins (for one logit: where it is above 0).
at::Tensor predict_mattes(Sinet& net, const at::Tensor& images,
                          const SinetStatistics& statistics = kSinetPortrait);
/// The same by the edge runtime; the model says how it wants its pixels. std::invalid_argument when it takes
/// no images of this size.
at::Tensor predict_mattes(edge::Engine& engine, const at::Tensor& images);

/// Scores at the network's input size, to which images and masks are stretched. The network must be a
/// portrait one with a square input; std::invalid_argument otherwise. Throws Interrupted when asked to stop.
SegmentationScores evaluate_mattes(Sinet& net, const std::vector<Matte>& mattes, Progress& progress,
                                   const SinetStatistics& statistics = kSinetPortrait);
SegmentationScores evaluate_mattes(edge::Engine& engine, const std::vector<Matte>& mattes,
                                   Progress& progress);

/// Scores at each photograph's own size.
SegmentationScores evaluate_mattes(MatteRunner& runner, const std::vector<Matte>& mattes, Progress& progress);

}  // namespace perennial
