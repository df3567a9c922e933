#include <vector>

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/relu.h>

#include "perennial/nn/backbones.h"
#include "perennial/nn/layers.h"

namespace perennial {
namespace {

// Every other pixel, and zeros for the channels that are new, half of them on each side.
at::Tensor option_a_shortcut(const at::Tensor& x, int64_t channels) {
  const int64_t missing = channels - x.size(1);
  const at::Tensor pixels = x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2);
  return at::constant_pad_nd(pixels, {0, 0, 0, 0, missing / 2, missing - missing / 2});
}

class Block {
 public:
  Block(const Scope& scope, int64_t in, int64_t out, int64_t stride)
      : channels_(out),
        stride_(stride),
        first_(scope / "conv1", scope / "bn1", {in, out, 3, stride}, {}, Activation::kRelu),
        second_(scope / "conv2", scope / "bn2", {out, out, 3, 1}, {}, Activation::kNone) {}

  at::Tensor forward(const at::Tensor& x, bool training) {
    const at::Tensor y = second_.forward(first_.forward(x, training), training);
    at::Tensor sum = add_shortcut(y, stride_ == 1 ? x : option_a_shortcut(x, channels_));
    return at::relu_(sum);
  }

 private:
  int64_t channels_, stride_;
  ConvNorm first_, second_;
};

class ResNet20 final : public Backbone {
 public:
  ResNet20(double width, uint64_t seed)
      : channels_(scaled_width(16, width)),
        stem_(Scope{tensors_, seed, "conv1"}, Scope{tensors_, seed, "bn1"}, {3, channels_}, {},
              Activation::kRelu) {
    int64_t in = channels_;
    for (int64_t group = 0; group < 3; ++group) {
      const Scope scope{tensors_, seed, "layer" + std::to_string(group + 1)};
      channels_ = scaled_width(16 << group, width);
      std::vector<Block>& blocks = groups_.emplace_back();
      for (int64_t i = 0; i < 3; ++i) {
        blocks.emplace_back(scope / std::to_string(i), in, channels_, i == 0 && group > 0 ? 2 : 1);
        in = channels_;
      }
    }
  }

  std::vector<std::string> stages() const override { return {"stem", "layer1", "layer2", "layer3"}; }
  at::Tensor run_stage(size_t i, at::Tensor x, bool training) override {
    if (i == 0) return stem_.forward(x, training);
    for (Block& block : groups_[i - 1]) x = block.forward(x, training);
    return x;
  }
  at::Tensor pool(const at::Tensor& map) const override { return global_average(map); }
  int64_t feature_size() const override { return channels_; }
  const Normalisation* own_normalisation() const override {
    static const Normalisation kImageNet;
    return &kImageNet;
  }

 private:
  int64_t channels_;
  ConvNorm stem_;
  std::vector<std::vector<Block>> groups_;
};

}  // namespace

std::unique_ptr<Backbone> make_resnet20(double width, uint64_t seed) {
  return std::make_unique<ResNet20>(width, seed);
}

}  // namespace perennial
