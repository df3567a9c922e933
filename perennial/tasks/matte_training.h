#pragma once

#include <string>
#include <vector>

#include "perennial/nn/optimiser.h"
#include "perennial/nn/sinet.h"

namespace perennial {

// How SINet's portrait network is trained (Park et al., WACV 2020, section 4.1; released code).

/// One of the two stages.
struct MatteStage {
  std::string name;
  bool encoder_only;      ///< the loss is on the coarse logits, with every `label_factor`-th label
  int64_t label_factor;   ///< 8 for the encoder
  int64_t boundary_side;  ///< of the boundary band, in pixels of its labels
  int64_t epochs, batch;
};

/// The encoder alone, then the whole network from the best encoder.
std::vector<MatteStage> matte_stages();

/// 7.5e-4 for cross_entropy, 5e-4 for lovasz. Throws std::invalid_argument for another loss.
double initial_matte_learning_rate(const std::string& loss);

/// `initial` halved at epoch 150 and again at epoch 250 of a stage.
double matte_learning_rate(double initial, int64_t epoch);

/// Weight decay 0 for depthwise kernels, 2e-4 for other convolutions, 2e-6 for everything else. The
/// decoder's parameters are left out with `encoder_only`.
std::vector<ParameterGroup> sinet_groups(const Sinet& net, bool encoder_only);

/// The loss of one stage, with gradients. inputs: as sinet_preprocess() makes them; labels: [N, H, W]. `kind`
/// and `weights` (of classes, may be undefined) as in MatteLossOptions.
at::Tensor matte_stage_loss(Sinet& net, const MatteStage& stage, const at::Tensor& inputs,
                            const at::Tensor& labels, const std::string& kind, const at::Tensor& weights);

}  // namespace perennial
