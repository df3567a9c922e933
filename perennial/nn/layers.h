#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <ATen/core/Tensor.h>

#include "perennial/nn/module.h"

namespace perennial {

/// Where a layer puts its tensors: the list, the seed of their initial values and the name in front of
/// theirs.
struct Scope {
  TensorList& tensors;
  uint64_t seed;
  std::string name = {};

  Scope operator/(const std::string& child) const {
    return {tensors, seed, name.empty() ? child : name + "." + child};
  }
};

enum class Activation { kNone, kRelu, kRelu6 };

struct NormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< share of the new batch in the running statistics
};

struct ConvShape {
  int64_t in, out;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t groups = 1;
  bool same =
      false;  ///< TensorFlow's "same" padding (more of it right and below) instead of kernel/2 all round
  int64_t kernel_width = 0;  ///< where it differs from `kernel`, the height; 0: square
  int64_t dilation = 1;      ///< not together with `same`

  int64_t width() const { return kernel_width > 0 ? kernel_width : kernel; }
  /// Multiply-accumulates for one input map of that size.
  int64_t macs(int64_t in_height, int64_t in_width) const;
};

/// A convolution alone, without bias.
class Conv {
 public:
  Conv(const Scope& scope, const ConvShape& shape);
  at::Tensor forward(const at::Tensor& x) const;
  const ConvShape& shape() const { return shape_; }

 private:
  at::Tensor weight_;
  ConvShape shape_;
};

/// max(x, 0) + slope * min(x, 0) with one learnt slope per channel, 0.25 at first (He et al., ICCV 2015).
class PRelu {
 public:
  PRelu(const Scope& scope, int64_t channels);
  /// x: [N, C] or [N, C, H, W].
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor slope_;
};

/// Batch normalisation of [N, C] or [N, C, H, W], weight 1 and bias 0 at first. In training a channel has
/// more than one value: a single one has no variance.
class BatchNorm {
 public:
  BatchNorm(const Scope& scope, int64_t channels, const NormOptions& options);
  at::Tensor forward(const at::Tensor& x, bool training);
  /// What it does with running statistics: y = x * scale + shift, each [C].
  at::Tensor scale() const;
  at::Tensor shift(const at::Tensor& scale) const;
  /// Changes whenever something in here changed in place.
  int64_t version() const;

 private:
  at::Tensor weight_, bias_, mean_, variance_;
  NormOptions options_;
  int64_t trained_ = 0;
};

/// A convolution (no bias) or linear layer, its BatchNorm and activation. Without gradients and not training,
/// the normalisation is folded into the weights; the folded weights are kept until one of their sources
/// changes, and several threads may use them at once.
class NormalisedLayer {
 public:
  at::Tensor forward(const at::Tensor& x, bool training);
  virtual ~NormalisedLayer() = default;

 protected:
  NormalisedLayer(at::Tensor weight, const Scope& norm, const NormOptions& options, Activation activation);
  NormalisedLayer(NormalisedLayer&&) = default;
  /// The product alone; `bias` may be undefined.
  virtual at::Tensor apply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const = 0;

 private:
  struct Folded {
    at::Tensor weight, bias;
    int64_t version = -1;
  };
  struct Kept {
    std::mutex lock;
    Folded folded;
  };
  Folded fold(at::ScalarType dtype) const;
  at::Tensor weight_;
  BatchNorm norm_;
  Activation activation_;
  std::unique_ptr<Kept> kept_ = std::make_unique<Kept>();
};

class ConvNorm : public NormalisedLayer {
 public:
  ConvNorm(const Scope& conv, const Scope& norm, const ConvShape& shape, const NormOptions& options,
           Activation activation);
  const ConvShape& shape() const { return shape_; }

 private:
  at::Tensor apply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const override;
  ConvShape shape_;
};

class LinearNorm : public NormalisedLayer {
 public:
  LinearNorm(const Scope& linear, const Scope& norm, int64_t in, int64_t out, const NormOptions& options,
             Activation activation);

 private:
  at::Tensor apply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const override;
};

/// y + x, in place where no gradient needs y.
at::Tensor add_shortcut(const at::Tensor& y, const at::Tensor& x);

/// Mean over height and width: [N, C, H, W] -> [N, C].
at::Tensor global_average(const at::Tensor& x);

/// `channels` times `factor`, rounded to a multiple of 8, at least 8; `channels` itself when factor is 1.
int64_t scaled_width(int64_t channels, double factor);

}  // namespace perennial
