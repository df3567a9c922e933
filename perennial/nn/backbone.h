#pragma once

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

  /// Adds the options ("model", "model.width", "model.weights", "model.freeze").
  void bind(OptionTable& table);
};

/// Images to features. Inputs are normalised float32 (or bfloat16 under autocast), channels-last.
class Backbone {
 public:
  virtual ~Backbone() = default;
  /// x: float [N, 3, H, W] (MLP: flattened inside) -> [N, feature_size()]. `training` selects batch
  /// statistics.
  virtual at::Tensor forward(const at::Tensor& x, bool training) = 0;
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
/// One line about a backbone, for help pages.
std::string backbone_summary(const std::string& name);

/// The side of images that a network was made for, in pixels; 0: any.
int64_t preferred_image_size(const std::string& name);

/// Builds a backbone for images [channels (always 3), height, width] or features [dim]; initial weights are a
/// function of `seed`. Throws std::invalid_argument for an unknown name or impossible input.
std::unique_ptr<Backbone> make_backbone(const ModelOptions& options, at::IntArrayRef input_shape,
                                        uint64_t seed);

}  // namespace perennial
