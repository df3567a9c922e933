#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perennial/io/safetensors.h"
#include "perennial/nn/module.h"

namespace perennial {

struct SinetOptions {
  std::string variant = "portrait";  ///< portrait | cityscapes | extremec3
  int64_t classes = 0;               ///< 0: 2, 19, 1 for these; 1 is one logit for foreground
  bool gate = true;                  ///< information blocking; false adds the fine map everywhere (ablation)
  int64_t height = 0, width = 0;     ///< of the input; 0: 224 x 224, or 1024 x 2048 for cityscapes
};

/// One row of the table of layers.
struct LayerCost {
  std::string name;                             ///< prefix of its tensors: "encoder.level2.0"
  std::string kind;                             ///< "S2-module (3,1)(5,1)"
  int64_t channels = 0, height = 0, width = 0;  ///< of its output
  int64_t parameters = 0;
  int64_t macs = 0;  ///< multiply-accumulates of convolutions and linear layers, one image
};

struct SinetOutput {
  at::Tensor logits;  ///< [N, classes, H, W] for portrait, [N, classes, H/2, W/2] for cityscapes
  at::Tensor coarse;  ///< the encoder's own: [N, classes, H/8, W/8] for portrait, 1/16 for cityscapes
};

/// SINet (Park et al., WACV 2020): extreme light-weight portrait segmentation with spatial squeeze modules
/// and an information blocking decoder, and its variant for Cityscapes. Inputs are float [N, 3, H, W],
/// channels-last; for the published portrait weights as sinet_preprocess() makes them. The tensors of the
/// portrait network are named as in its published weights. ExtremeC3 (extremec3.h) is the same authors'
/// earlier portrait network.
class Sinet {
 public:
  virtual ~Sinet() = default;
  /// The encoder's logits alone, which the first stage of training works on.
  virtual at::Tensor encode(const at::Tensor& x, bool training) = 0;
  virtual SinetOutput forward(const at::Tensor& x, bool training) = 0;
  /// The layers in order, for an input of the size in the options.
  virtual std::vector<LayerCost> layers() const = 0;

  /// Takes these tensors; `source` is what errors call them. Values under 1e-12 become zero: the published
  /// file holds thousands of subnormal ones, which halve the speed of a CPU and change no bit of the output.
  /// Throws Error.
  void load_weights(const TensorFile& weights, const std::string& source);

  const SinetOptions& options() const { return options_; }
  TensorList& tensors() { return tensors_; }
  const TensorList& tensors() const { return tensors_; }

 protected:
  explicit Sinet(SinetOptions options) : options_(std::move(options)) {}
  SinetOptions options_;
  TensorList tensors_;
};

/// Initial weights are a function of `seed`. Throws std::invalid_argument for an unknown variant, less than
/// one class, or a size that is no multiple of 32 (portrait) or 128 (cityscapes).
std::unique_ptr<Sinet> make_sinet(const SinetOptions& options, uint64_t seed);

/// The information blocking map of coarse logits [N, K, H, W]: 1 - max_k softmax_k, [N, 1, H, W] (section
/// 3.2); for one logit z, 1 - max(sigmoid(z), 1 - sigmoid(z)).
at::Tensor blocking_map(const at::Tensor& logits);

/// Fills in the parameters of each row: those of the tensors that its name is a prefix of.
void count_parameters(std::vector<LayerCost>& rows, const TensorList& tensors);

/// A table of layers for people, totals below.
std::string layer_table(const std::vector<LayerCost>& layers);

}  // namespace perennial
