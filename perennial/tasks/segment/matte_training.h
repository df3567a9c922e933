#pragma once

#include <string>
#include <vector>

#include "perennial/data/augment.h"
#include "perennial/nn/optimiser.h"
#include "perennial/nn/sinet.h"

namespace perennial {

class OptionTable;

/// How SINet's portrait network is trained, and ExtremeC3 with its second stage (Park et al., WACV 2020,
/// section 4.1; released code).
struct MatteTrainOptions {
  std::string net = "portrait";        ///< portrait (SINet) | extremec3
  std::string loss = "cross_entropy";  ///< cross_entropy | lovasz
  double boundary_weight = 0.5;
  bool gate = true;     ///< information blocking in the decoder
  int64_t classes = 0;  ///< logits a pixel; 0: the network's own, 2 or 1
  int64_t size = 224;   ///< side of the network's input
  int64_t encoder_epochs = 300, encoder_batch = 36;
  int64_t epochs = 300, batch = 24;
  double lr = 0;  ///< 0: 7.5e-4 for cross_entropy, 5e-4 for lovasz
  /// The paper's steps, in their order; `side` is that of the network's input.
  Augmentation augment{
      .warp = true, .flip = true, .colour = true, .blur = true, .noise = true, .purpose = "matte "};

  void bind(OptionTable& table);
};

/// One of the two stages.
struct MatteStage {
  std::string name;
  bool encoder_only;      ///< the loss is on the coarse logits, with every `label_factor`-th label
  int64_t label_factor;   ///< 8 for the encoder
  int64_t boundary_side;  ///< of the boundary band, in pixels of its labels
  int64_t epochs, batch;
  double lr;  ///< at its beginning
};

/// The encoder alone, then the whole network. A stage of no epochs is left out.
std::vector<MatteStage> matte_stages(const MatteTrainOptions& options);

/// The stage's rate, halved after 1/2 of its epochs and again after 5/6 (150 and 250 of 300).
double matte_learning_rate(const MatteStage& stage, int64_t epoch);

/// Weight decay 0 for depthwise kernels, 2e-4 for other convolutions, 2e-6 for everything else. The
/// decoder's parameters are left out with `encoder_only`.
std::vector<ParameterGroup> sinet_groups(const Sinet& net, bool encoder_only);

/// The loss of one stage, with gradients. inputs: as sinet_preprocess() makes them; labels: [N, H, W];
/// `weights` of classes, may be undefined.
at::Tensor matte_stage_loss(Sinet& net, const MatteStage& stage, const at::Tensor& inputs,
                            const at::Tensor& labels, const MatteTrainOptions& options,
                            const at::Tensor& weights);

}  // namespace perennial
