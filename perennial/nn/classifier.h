#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perennial/nn/backbone.h"
#include "perennial/nn/head.h"

namespace perennial {

/// How a classifier computes: device and, under autocast, the type of convolutions and products.
struct Compute {
  std::string device = "cpu";     ///< cpu | cuda
  std::string dtype = "float32";  ///< float32 | bfloat16
};

/// Normalisation, backbone and a head that grows: uint8 images (or float features) to class logits.
class Classifier {
 public:
  Classifier(const ModelOptions& model, HeadKind head, at::IntArrayRef input_shape, const Normalisation& normalisation,
             const Compute& compute, uint64_t seed);

  /// Logits [N, classes()] with gradients, batch statistics used and updated. Inputs: uint8 [N, C, H, W] (grey is
  /// repeated to three channels) or float [N, D].
  at::Tensor train_logits(const at::Tensor& inputs);
  /// Logits without gradients from running statistics, float32 on the CPU, computed `batch` rows at a time.
  at::Tensor logits(const at::Tensor& inputs, int64_t batch = 512);
  /// Features [N, feature_size] without gradients, float32 on the CPU.
  at::Tensor features(const at::Tensor& inputs, int64_t batch = 512);

  int64_t classes() const { return head_.classes(); }
  /// Adds rows for new classes, keeping the old ones.
  void grow(int64_t classes);
  /// A fresh head (the released code of Rainbow Memory does this at every task).
  void reset_head(HeadKind kind, int64_t classes, uint64_t position);
  /// Fresh weights everywhere (GDumb), as if constructed anew.
  void reset(uint64_t position);

  Backbone& backbone() { return *backbone_; }
  Head& head() { return head_; }
  const Normalisation& normalisation() const { return normalisation_; }
  /// Trainable parameters; the head's alone when the backbone is frozen.
  std::vector<at::Tensor> parameters() const;

  void save(TensorMap& out, const std::string& prefix) const;
  void load(const TensorMap& in, const std::string& prefix, const std::string& source);

 private:
  at::Tensor prepare(const at::Tensor& inputs) const;
  ModelOptions model_;
  std::vector<int64_t> input_shape_;
  Normalisation normalisation_;
  Compute compute_;
  uint64_t seed_;
  std::unique_ptr<Backbone> backbone_;
  Head head_;
};

}  // namespace perennial
