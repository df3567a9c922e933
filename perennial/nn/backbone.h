#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perennial/data/dataset.h"
#include "perennial/nn/module.h"

namespace perennial {

class OptionTable;

struct ModelOptions {
  std::string name = "mlp400";  ///< see backbone_names()
  double width = 1.0;           ///< factor on the channel counts of a ResNet, or on the MLP's 400
  std::string
      weights;  ///< a safetensors file for the backbone (and head, where classes agree); empty: random
  std::string freeze = "none";  ///< none | features (backbone fixed, features computed once)
  int64_t neck = 0;  ///< width of a layer that learns between frozen features and the head; 0: none

  /// Adds the options ("model", "model.width", "model.weights", "model.freeze", "model.neck").
  void bind(OptionTable& table);
};

class Backbone;

/// Where a map is on its way through a backbone: it has just left stage `index`.
struct Stage {
  Backbone& backbone;
  size_t index;
  std::string name;  ///< "layer2"
};

/// Sees the map that leaves each stage and gives the one that goes on, of the same shape.
using StageHook = std::function<at::Tensor(const Stage& stage, at::Tensor map)>;

/// Images to features, in named stages with a map between each and the next. Inputs are normalised float32
/// (or bfloat16 under autocast), channels-last.
class Backbone {
 public:
  virtual ~Backbone() = default;
  /// x: float [N, 3, H, W] (MLP: flattened inside) -> [N, feature_size()]. `training` selects batch
  /// statistics and updates the running ones.
  at::Tensor forward(const at::Tensor& x, bool training, const StageHook& hook = {});
  /// The same without gradients, from running statistics. From several threads at once, while nobody changes
  /// the tensors.
  at::Tensor infer(const at::Tensor& x) const;

  /// Names, in the order in which an input goes through them.
  virtual std::vector<std::string> stages() const = 0;
  /// What stage `i` makes of the map that the one before it gave (the input, for the first). Without
  /// gradients and not training, implementations change nothing that other threads may see.
  virtual at::Tensor run_stage(size_t i, at::Tensor x, bool training) = 0;
  /// The map of the last stage -> [N, feature_size()].
  virtual at::Tensor pool(const at::Tensor& map) const { return map; }
  virtual int64_t feature_size() const = 0;
  /// The normalisation its published weights were trained with, or null.
  virtual const Normalisation* own_normalisation() const { return nullptr; }
  TensorList& tensors() { return tensors_; }
  const TensorList& tensors() const { return tensors_; }

 protected:
  TensorList tensors_;
};

/// mlp400, resnet18, resnet20, resnet32, resnet34, efficientnet_lite0 (and identity, for features).
std::vector<std::string> backbone_names();

/// The side of images that a network was made for, in pixels; 0: any.
int64_t preferred_image_size(const std::string& name);

/// Builds a backbone for images [channels (always 3), height, width] or features [dim]; initial weights are a
/// function of `seed`. Throws std::invalid_argument for an unknown name or impossible input.
std::unique_ptr<Backbone> make_backbone(const ModelOptions& options, at::IntArrayRef input_shape,
                                        uint64_t seed);

}  // namespace perennial
