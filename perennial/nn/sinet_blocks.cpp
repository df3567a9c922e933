#include "perennial/nn/sinet_blocks.h"

#include <cmath>

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/channel_shuffle.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "perennial/nn/init.h"

namespace perennial {
namespace {

// The places of a depthwise convolution: one square, or k x 1 and 1 x k.
std::vector<ConvShape> depthwise_shapes(int64_t channels, const S2Spec& spec, bool separable) {
  const int64_t k = spec.kernel;
  if (!separable || spec.pool == 0) return {{channels, channels, k, 1, channels}};
  return {{channels, channels, k, 1, channels, false, 1}, {channels, channels, 1, 1, channels, false, k}};
}

std::vector<ConvNorm> depthwise_layers(const Scope& scope, const std::vector<ConvShape>& shapes) {
  const std::vector<std::string> names = shapes.size() == 1
                                             ? std::vector<std::string>{"conv"}
                                             : std::vector<std::string>{"vertical", "horizontal"};
  std::vector<ConvNorm> layers;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const Scope here = scope / names[i];
    layers.emplace_back(here / "0", here / "1", shapes[i], kSinetNorm, Activation::kNone);
  }
  return layers;
}

}  // namespace

at::Tensor enlarge(const at::Tensor& x, int64_t factor, bool align_corners) {
  if (factor == 1) return x;
  return at::upsample_bilinear2d(x, {x.size(2) * factor, x.size(3) * factor}, align_corners);
}

ConvNormPRelu::ConvNormPRelu(const Scope& scope, const ConvShape& shape)
    : conv_(scope / "conv", scope / "bn", shape, kSinetNorm, Activation::kNone),
      activation_(scope / "act", shape.out) {}

at::Tensor ConvNormPRelu::forward(const at::Tensor& x, bool training) {
  return activation_.forward(conv_.forward(x, training));
}

NormPRelu::NormPRelu(const Scope& scope, int64_t channels)
    : norm_(scope / "bn", channels, kSinetNorm), activation_(scope / "act", channels) {}

at::Tensor NormPRelu::forward(const at::Tensor& x, bool training) {
  return activation_.forward(norm_.forward(x, training));
}

SqueezeExcite::SqueezeExcite(const Scope& scope, int64_t channels, int64_t divisor) {
  add(scope, channels, channels / divisor);
  if (divisor > 1) add(scope, channels / divisor, channels);
}

void SqueezeExcite::add(const Scope& scope, int64_t in, int64_t out) {
  const Scope linear = scope / std::to_string(2 * layers_.size());
  const Scope slope = scope / std::to_string(2 * layers_.size() + 1);
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  const auto values = [&](const std::string& name, at::IntArrayRef shape) {
    const Scope here = linear / name;
    return here.tensors.parameter(here.name, uniform(shape, bound, here.seed, here.name));
  };
  const at::Tensor weight = values("weight", {out, in});
  const at::Tensor bias = values("bias", {out});
  layers_.push_back({weight, bias, PRelu(slope, out)});
}

at::Tensor SqueezeExcite::forward(const at::Tensor& x) const {
  at::Tensor y = global_average(x);
  for (const Layer& layer : layers_) y = layer.activation.forward(at::linear(y, layer.weight, layer.bias));
  return x.mul(y.unsqueeze(2).unsqueeze(3));
}

int64_t SqueezeExcite::macs() const {
  int64_t sum = 0;
  for (const Layer& layer : layers_) sum += layer.weight.numel();
  return sum;
}

SqueezeDown::SqueezeDown(const Scope& scope, int64_t in, int64_t out, int64_t divisor)
    : depthwise_(scope / "conv" / "0", {in, in, 3, 2, in}),
      excite_(scope / "conv" / "1" / "dense", in, divisor),
      pointwise_(scope / "conv" / "2", scope / "bn", {in, out, 1}, kSinetNorm, Activation::kNone),
      activation_(scope / "act", out) {}

at::Tensor SqueezeDown::forward(const at::Tensor& x, bool training) {
  return activation_.forward(pointwise_.forward(excite_.forward(depthwise_.forward(x)), training));
}

int64_t SqueezeDown::macs(MapSize in) const {
  const MapSize half = in.over(2);
  return depthwise_.shape().macs(in.height, in.width) + excite_.macs() +
         pointwise_.shape().macs(half.height, half.width);
}

S2Block::S2Block(const Scope& scope, int64_t channels, const S2Spec& spec, bool separable)
    : pool_(std::max<int64_t>(spec.pool, 1)),
      depthwise_(depthwise_layers(scope, depthwise_shapes(channels, spec, separable))),
      activation_(scope / "act_conv1x1" / "0", channels),
      pointwise_(scope / "act_conv1x1" / "1", {channels, channels, 1}),
      norm_(scope / "bn", channels, kSinetNorm) {}

at::Tensor S2Block::forward(const at::Tensor& x, bool training) {
  const at::Tensor small = pool_ > 1 ? at::avg_pool2d(x, {pool_, pool_}, {pool_, pool_}) : x;
  at::Tensor y = depthwise_[0].forward(small, training);
  if (depthwise_.size() > 1) y = add_shortcut(y, depthwise_[1].forward(small, training));
  y = pointwise_.forward(activation_.forward(y));
  return norm_.forward(enlarge(y, pool_, /*align_corners=*/true), training);
}

int64_t S2Block::macs(MapSize in) const {
  const MapSize small = in.over(pool_);
  int64_t sum = pointwise_.shape().macs(small.height, small.width);
  for (const ConvNorm& layer : depthwise_) sum += layer.shape().macs(small.height, small.width);
  return sum;
}

S2Module::S2Module(const Scope& scope, int64_t in, const S2ModuleSpec& spec, bool separable)
    : residual_(in == spec.out),
      reduce_(scope / "c1" / "conv", {in, spec.out / 2, 1, 1, /*groups=*/2}),
      first_(scope / "d1", spec.out / 2, spec.first, separable),
      second_(scope / "d2", spec.out / 2, spec.second, separable),
      output_(scope / "BR", spec.out) {}

at::Tensor S2Module::forward(const at::Tensor& x, bool training) {
  const at::Tensor reduced = at::channel_shuffle(reduce_.forward(x), 2);
  at::Tensor y = at::cat({first_.forward(reduced, training), second_.forward(reduced, training)}, 1);
  if (residual_) y = add_shortcut(y, x);
  return output_.forward(y, training);
}

int64_t S2Module::macs(MapSize in) const {
  return reduce_.shape().macs(in.height, in.width) + first_.macs(in) + second_.macs(in);
}

}  // namespace perennial
