#include "perennial/nn/layers.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/zeros.h>

#include "perennial/nn/autocast.h"
#include "perennial/nn/init.h"

namespace perennial {
namespace {

at::Tensor activate_in_place(at::Tensor y, Activation activation) {
  switch (activation) {
    case Activation::kRelu: return at::relu_(y);
    case Activation::kRelu6: return at::hardtanh_(y, 0, 6);
    case Activation::kNone: break;
  }
  return y;
}

// TensorFlow's rule: the output is ceil(size / stride), an odd pixel of padding goes to the far side.
int64_t same_padding(int64_t size, int64_t kernel, int64_t stride) {
  const int64_t out = (size + stride - 1) / stride;
  return std::max<int64_t>((out - 1) * stride + kernel - size, 0);
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const ConvShape& shape) {
  const auto padded = [&](const at::Tensor& input, int64_t pad_h, int64_t pad_w) {
    return at::conv2d(input, weight, bias, {shape.stride, shape.stride}, {pad_h, pad_w},
                      {shape.dilation, shape.dilation}, shape.groups);
  };
  if (!shape.same) return padded(x, shape.kernel / 2 * shape.dilation, shape.width() / 2 * shape.dilation);
  const int64_t h = same_padding(x.size(2), shape.kernel, shape.stride);
  const int64_t w = same_padding(x.size(3), shape.width(), shape.stride);
  if (h % 2 == 0 && w % 2 == 0) return padded(x, h / 2, w / 2);
  return padded(at::constant_pad_nd(x, {w / 2, w - w / 2, h / 2, h - h / 2}), 0, 0);
}

at::Tensor conv_weight(const Scope& scope, const ConvShape& shape) {
  const std::vector<int64_t> sizes{shape.out, shape.in / shape.groups, shape.kernel, shape.width()};
  return scope.tensors.parameter((scope / "weight").name,
                                 kaiming_normal(sizes, shape.groups, scope.seed, scope.name));
}

}  // namespace

int64_t ConvShape::macs(int64_t in_height, int64_t in_width) const {
  const auto reduced = [this](int64_t side) { return (side + stride - 1) / stride; };
  return in / groups * out * kernel * width() * reduced(in_height) * reduced(in_width);
}

Conv::Conv(const Scope& scope, const ConvShape& shape) : weight_(conv_weight(scope, shape)), shape_(shape) {}

at::Tensor Conv::forward(const at::Tensor& x) const { return convolve(x, weight_, {}, shape_); }

PRelu::PRelu(const Scope& scope, int64_t channels)
    : slope_(scope.tensors.parameter((scope / "weight").name, at::full({channels}, 0.25))) {}

at::Tensor PRelu::forward(const at::Tensor& x) const { return at::prelu(x, slope_); }

BatchNorm::BatchNorm(const Scope& scope, int64_t channels, const NormOptions& options)
    : weight_(scope.tensors.parameter((scope / "weight").name, at::ones({channels}))),
      bias_(scope.tensors.parameter((scope / "bias").name, at::zeros({channels}))),
      mean_(scope.tensors.buffer((scope / "running_mean").name, at::zeros({channels}))),
      variance_(scope.tensors.buffer((scope / "running_var").name, at::ones({channels}))),
      options_(options) {}

at::Tensor BatchNorm::forward(const at::Tensor& x, bool training) {
  if (training)
    ++trained_;  // batch_norm writes the running statistics without telling their version counters
  at::Tensor y = at::batch_norm(x, weight_, bias_, mean_, variance_, training, options_.momentum,
                                options_.eps, /*cudnn_enabled=*/true);
  // The gradient of a part of a concatenation has gaps, and with those batch_norm's backward is ten times
  // slower.
  if (training && y.requires_grad())
    y.register_hook(
        [format = y.suggest_memory_format()](const at::Tensor& g) { return g.contiguous(format); });
  return y;
}

at::Tensor BatchNorm::scale() const { return weight_.mul(variance_.add(options_.eps).rsqrt()); }

at::Tensor BatchNorm::shift(const at::Tensor& scale) const { return bias_.sub(mean_.mul(scale)); }

int64_t BatchNorm::version() const {
  return trained_ + weight_._version() + bias_._version() + mean_._version() + variance_._version();
}

NormalisedLayer::NormalisedLayer(at::Tensor weight, const Scope& norm, const NormOptions& options,
                                 Activation activation)
    : weight_(std::move(weight)), norm_(norm, weight_.size(0), options), activation_(activation) {}

at::Tensor NormalisedLayer::forward(const at::Tensor& x, bool training) {
  if (training || at::GradMode::is_enabled())
    return activate_in_place(norm_.forward(apply(x, weight_, {}), training), activation_);
  const Folded folded = fold(autocast_dtype(x.device()).value_or(weight_.scalar_type()));
  return activate_in_place(apply(x, folded.weight, folded.bias), activation_);
}

NormalisedLayer::Folded NormalisedLayer::fold(at::ScalarType dtype) const {
  const std::lock_guard<std::mutex> lock(kept_->lock);
  Folded& folded = kept_->folded;
  const int64_t version = norm_.version() + weight_._version();
  const bool current = folded.weight.defined() && version == folded.version &&
                       folded.weight.scalar_type() == dtype && folded.weight.device() == weight_.device();
  if (current) return folded;
  const at::Tensor scale = norm_.scale();
  std::vector<int64_t> column(weight_.dim(), 1);
  column[0] = -1;
  folded = {weight_.mul(scale.view(column)).to(dtype), norm_.shift(scale).to(dtype), version};
  return folded;
}

ConvNorm::ConvNorm(const Scope& conv, const Scope& norm, const ConvShape& shape, const NormOptions& options,
                   Activation activation)
    : NormalisedLayer(conv_weight(conv, shape), norm, options, activation), shape_(shape) {}

at::Tensor ConvNorm::apply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
  return convolve(x, weight, bias, shape_);
}

LinearNorm::LinearNorm(const Scope& linear, const Scope& norm, int64_t in, int64_t out,
                       const NormOptions& options, Activation activation)
    : NormalisedLayer(linear.tensors.parameter((linear / "weight").name,
                                               uniform({out, in}, 1.0 / std::sqrt(static_cast<double>(in)),
                                                       linear.seed, linear.name)),
                      norm, options, activation) {}

at::Tensor LinearNorm::apply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
  return at::linear(x, weight, bias);
}

at::Tensor add_shortcut(const at::Tensor& y, const at::Tensor& x) {
  return at::GradMode::is_enabled() ? y.add(x) : y.add_(x);
}

at::Tensor global_average(const at::Tensor& x) { return at::mean(x, {2, 3}); }

int64_t scaled_width(int64_t channels, double factor) {
  if (factor == 1.0) return channels;
  return std::max<int64_t>(8, 8 * std::llround(static_cast<double>(channels) * factor / 8));
}

}  // namespace perennial
