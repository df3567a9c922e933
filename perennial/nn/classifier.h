#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perennial/data/samples.h"
#include "perennial/nn/backbone.h"
#include "perennial/nn/head.h"
#include "perennial/nn/layers.h"

namespace perennial {

/// How a classifier computes: device and, under autocast, the type of convolutions and products.
struct Compute {
  std::string device = "cpu";     ///< cpu | cuda
  std::string dtype = "float32";  ///< float32 | bfloat16
};

/// What a classifier is fed: of samples, the column that it takes; a tensor is images or vectors.
struct NetworkInput {
  // NOLINTNEXTLINE(google-explicit-constructor): they are what it is fed
  NetworkInput(at::Tensor images) : column(column::kImage), rows(std::move(images)) {}
  /// Throws std::invalid_argument when there is no feature, image or vector among the columns.
  // NOLINTNEXTLINE(google-explicit-constructor)
  NetworkInput(const Samples& samples);

  std::string column;  ///< whose rows they are
  at::Tensor rows;
  bool are_features() const { return column == column::kFeature; }
};

/// What comes out of a network, in training with gradients: features [N, D] and float32 logits [N, classes].
struct Outputs {
  at::Tensor features, logits;
};

/// What batch normalisation goes by in training.
enum class Statistics { kOfBatch, kRunning };

/// Normalisation, backbone and a head that grows: uint8 images (or float features) to class logits. Behind a
/// frozen backbone there may be a neck: one layer (linear, BatchNorm, ReLU) that learns with the head, so
/// that features are its output.
///
/// What makes new parameter tensors (grow, reset_head, reset, load) leaves optimisers behind:
/// Optimiser::replace, or a new one. Its const functions may be called from several threads at once, while
/// nobody calls another.
class Classifier {
 public:
  /// Starts with no class: grow() adds them. With weights from a file, the normalisation they were made with
  /// (if the network knows it) is used instead of `normalisation`. Throws std::invalid_argument or Error.
  Classifier(const ModelOptions& model, HeadKind head, at::IntArrayRef input_shape,
             const Normalisation& normalisation, const Compute& compute, uint64_t seed);

  // What each of these takes: samples with an image (uint8 [N, C, H, W], grey is repeated to three channels),
  // a vector (float [N, D]), or the features that the frozen backbone gave before; or the images or vectors
  // alone. std::invalid_argument for other samples.

  /// With gradients, batch statistics used and updated (or the running ones, which then stay as they are):
  /// std::invalid_argument for fewer than two rows, which have none. `hook` sees the maps between the stages
  /// of a backbone that is not frozen.
  Outputs train_outputs(const NetworkInput& inputs, const StageHook& hook = {},
                        Statistics statistics = Statistics::kOfBatch);
  /// Its logits alone.
  at::Tensor train_logits(const NetworkInput& inputs) { return train_outputs(inputs).logits; }
  /// Logits with gradients, from running statistics that stay as they are (EWC's Fisher information).
  at::Tensor frozen_statistics_logits(const NetworkInput& inputs) {
    return train_outputs(inputs, {}, Statistics::kRunning).logits;
  }
  /// Logits without gradients as they come out in training, by the statistics of these rows (two or more);
  /// the running ones stay as they are.
  at::Tensor batch_statistics_logits(const NetworkInput& inputs);
  /// Logits without gradients from running statistics, float32 on the CPU, computed `batch` rows at a time
  /// (fewer on the CPU, where smaller pieces are faster; the pieces do not depend on the thread count).
  at::Tensor logits(const NetworkInput& inputs, int64_t batch = 512) const;
  /// Features [N, feature_size] without gradients, float32 on the CPU.
  at::Tensor features(const NetworkInput& inputs, int64_t batch = 512) const;
  /// Logits of features() as logits() gives them.
  at::Tensor logits_of_features(const at::Tensor& features, int64_t batch = 512) const;
  /// What the network makes of images first: float [N, 3, H, W], normalised; of vectors nothing.
  at::Tensor prepare(const at::Tensor& inputs) const;
  /// A network of its own with the same weights (but reset() draws its backbone at random, where this one
  /// would take a weights file again).
  Classifier clone() const;

  /// What of this network learns moves a share of the way to where another's is, which has as many classes;
  /// so do running statistics.
  void move_towards(const Classifier& other, double share);

  int64_t classes() const { return head_.classes(); }
  /// Adds rows for new classes, keeping the old ones.
  void grow(int64_t classes);
  /// As many classes as another network of the kind has; the rows of new ones are as they are there.
  void grow_like(const Classifier& other);
  /// A fresh head (the released code of Rainbow Memory does this at every task).
  void reset_head(HeadKind kind, int64_t classes, uint64_t position);
  /// What the rows of the head were drawn for, those still to come included: the `position` of the last
  /// reset.
  uint64_t head_position() const { return head_.position(); }
  /// Fresh weights everywhere (GDumb), as if constructed anew (with the same number of classes).
  void reset(uint64_t position);
  /// Takes the head of the weights file too, when it holds one for this many classes and features ("linear",
  /// "fc",
  /// "_fc" or "head" with weight and bias). False, and nothing changes, when it does not.
  bool load_pretrained_head();

  Backbone& backbone() { return *backbone_; }
  Head& head() { return head_; }
  const Head& head() const { return head_; }
  const Normalisation& normalisation() const { return normalisation_; }
  bool frozen() const { return model_.freeze == "features"; }
  /// What is frozen lies in a file, which this network was made from.
  bool has_frozen_file() const { return frozen() && !model_.weights.empty(); }
  /// Width of features().
  int64_t feature_size() const { return head_.feature_size(); }
  /// Trainable parameters ("backbone.", "head."), the backbone's first; the neck's and the head's alone when
  /// the backbone is frozen.
  std::vector<NamedTensor> parameters() const;

  /// Weights, running statistics and normalisation ("backbone.", "head.", "normalisation").
  void save(TensorMap& out, const std::string& prefix) const;
  /// The same without a frozen backbone that comes from a weights file: what a checkpoint needs.
  void save_learned(TensorMap& out, const std::string& prefix) const;
  /// Restores what either gave, the number of classes and the kind of head included. Throws Error.
  void load(const TensorMap& in, const std::string& prefix, const std::string& source);

 private:
  at::Tensor known_features(const at::Tensor& x) const;
  at::Tensor infer_features(const NetworkInput& inputs) const;
  void make_neck(uint64_t seed);
  template <class Rows>
  at::Tensor in_batches(const NetworkInput& inputs, int64_t batch, int64_t columns, Rows rows) const;
  void save_head(TensorMap& out, const std::string& prefix) const;
  void place_head(HeadKind kind, int64_t classes, uint64_t seed, uint64_t position);
  c10::Device device() const;
  at::ScalarType dtype() const;

  ModelOptions model_;
  std::vector<int64_t> input_shape_;
  Normalisation normalisation_;
  Compute compute_;
  uint64_t seed_;
  std::unique_ptr<Backbone> backbone_;
  TensorList neck_tensors_;
  std::unique_ptr<LinearNorm> neck_;  ///< or none
  Head head_;
};

}  // namespace perennial
