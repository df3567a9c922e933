#pragma once

#include <optional>
#include <vector>

#include "perennial/nn/layers.h"

namespace perennial {

// The building blocks of SINet (Park et al., WACV 2020, section 3). Maps are [N, C, H, W]. No convolution has
// a bias. `macs` counts the multiply-accumulates of convolutions and linear layers for one input map of that
// size.

inline constexpr NormOptions kSinetNorm{1e-3, 0.1};

struct MapSize {
  int64_t height = 0, width = 0;
  MapSize over(int64_t factor) const { return {height / factor, width / factor}; }
  MapSize times(int64_t factor) const { return {height * factor, width * factor}; }
};

/// Bilinear enlargement by a whole factor.
at::Tensor enlarge(const at::Tensor& x, int64_t factor, bool align_corners);

/// Convolution, batch normalisation, PReLU.
class ConvNormPRelu {
 public:
  ConvNormPRelu(const Scope& scope, const ConvShape& shape);
  at::Tensor forward(const at::Tensor& x, bool training);
  int64_t macs(MapSize in) const { return conv_.shape().macs(in.height, in.width); }

 private:
  ConvNorm conv_;
  PRelu activation_;
};

/// Batch normalisation, PReLU.
class NormPRelu {
 public:
  NormPRelu(const Scope& scope, int64_t channels);
  at::Tensor forward(const at::Tensor& x, bool training);

 private:
  BatchNorm norm_;
  PRelu activation_;
};

/// Squeeze and excitation (Hu et al., CVPR 2018) as SINet has it: one linear layer for `divisor` 1, two with
/// channels / divisor between them otherwise; PReLU after each, no sigmoid.
class SqueezeExcite {
 public:
  SqueezeExcite(const Scope& scope, int64_t channels, int64_t divisor);
  at::Tensor forward(const at::Tensor& x) const;
  int64_t macs() const;

 private:
  struct Layer {
    at::Tensor weight, bias;
    PRelu activation;
  };
  void add(const Scope& scope, int64_t in, int64_t out);
  std::vector<Layer> layers_;
};

/// Halves a map: depthwise 3x3 of stride 2, squeeze and excitation, 1x1 convolution, normalisation, PReLU.
class SqueezeDown {
 public:
  SqueezeDown(const Scope& scope, int64_t in, int64_t out, int64_t divisor);
  at::Tensor forward(const at::Tensor& x, bool training);
  int64_t macs(MapSize in) const;

 private:
  Conv depthwise_;
  SqueezeExcite excite_;
  ConvNorm pointwise_;
  PRelu activation_;
};

/// Kernel side and pooling factor of one S2-block; pool 0 and 1 do not pool.
struct S2Spec {
  int64_t kernel, pool;
};

/// The two S2-blocks of an S2-module; it has a residual where its channels stay the same.
struct S2ModuleSpec {
  int64_t out;
  S2Spec first, second;
};

/// Spatial squeeze: average pooling, depthwise convolution, normalisation, PReLU, 1x1 convolution, bilinear
/// enlargement (corners aligned), normalisation. With `separable` and pool >= 1, the depthwise convolution is
/// the sum of a k x 1 and a 1 x k one, each normalised.
class S2Block {
 public:
  S2Block(const Scope& scope, int64_t channels, const S2Spec& spec, bool separable);
  at::Tensor forward(const at::Tensor& x, bool training);
  int64_t macs(MapSize in) const;

 private:
  int64_t pool_;
  std::vector<ConvNorm> depthwise_;
  PRelu activation_;
  Conv pointwise_;
  BatchNorm norm_;
};

/// Grouped 1x1 convolution to half the channels, channel shuffle, two S2-blocks side by side, concatenation,
/// residual, normalisation, PReLU.
class S2Module {
 public:
  S2Module(const Scope& scope, int64_t in, const S2ModuleSpec& spec, bool separable);
  at::Tensor forward(const at::Tensor& x, bool training);
  int64_t macs(MapSize in) const;

 private:
  bool residual_;
  Conv reduce_;
  S2Block first_, second_;
  NormPRelu output_;
};

}  // namespace perennial
