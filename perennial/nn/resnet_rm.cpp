#include <optional>
#include <vector>

#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "perennial/nn/backbones.h"
#include "perennial/nn/layers.h"

namespace perennial {
namespace {

struct Plan {
  std::vector<int64_t> blocks, widths;
  bool imagenet_stem = false;        // 7x7 stride 2 and max-pool instead of 3x3 stride 1
  bool relu_after_addition = false;  // ResNet-34 only
  NormOptions norm;
};

// (conv, BN, ReLU), (conv, BN, ReLU), then the shortcut is added: the reverse of the usual order.
class Block {
 public:
  Block(const Scope& scope, int64_t in, int64_t out, int64_t stride, const Plan& plan)
      : first_(scope / "conv1", scope / "bn1", {in, out, 3, stride}, plan.norm, Activation::kRelu),
        second_(scope / "conv2", scope / "bn2", {out, out, 3, 1}, plan.norm, Activation::kRelu),
        relu_after_addition_(plan.relu_after_addition) {
    if (stride == 1 && in == out) return;
    const Scope shortcut = scope / "shortcut";
    shortcut_.emplace(shortcut / "conv", shortcut / "bn", ConvShape{in, out, 1, stride}, plan.norm,
                      Activation::kRelu);
  }

  at::Tensor forward(const at::Tensor& x, bool training) {
    const at::Tensor y = second_.forward(first_.forward(x, training), training);
    at::Tensor sum = add_shortcut(y, shortcut_ ? shortcut_->forward(x, training) : x);
    return relu_after_addition_ ? at::relu_(sum) : sum;
  }

 private:
  ConvNorm first_, second_;
  std::optional<ConvNorm> shortcut_;
  bool relu_after_addition_;
};

class ResNet final : public Backbone {
 public:
  ResNet(Plan plan, double width, uint64_t seed)
      : plan_(std::move(plan)),
        channels_(scaled_width(plan_.widths[0], width)),
        stem_(Scope{tensors_, seed, "conv1"}, Scope{tensors_, seed, "bn1"},
              plan_.imagenet_stem ? ConvShape{3, channels_, 7, 2} : ConvShape{3, channels_}, plan_.norm,
              Activation::kRelu) {
    for (size_t group = 0; group < plan_.blocks.size(); ++group) {
      const Scope scope{tensors_, seed, "layer" + std::to_string(group + 1)};
      const int64_t out = scaled_width(plan_.widths[group], width);
      std::vector<Block>& blocks = groups_.emplace_back();
      for (int64_t i = 0; i < plan_.blocks[group]; ++i) {
        blocks.emplace_back(scope / std::to_string(i), channels_, out, i == 0 && group > 0 ? 2 : 1, plan_);
        channels_ = out;
      }
    }
  }

  std::vector<std::string> stages() const override {
    std::vector<std::string> names{"stem"};
    for (size_t group = 1; group <= groups_.size(); ++group) names.push_back("layer" + std::to_string(group));
    return names;
  }
  at::Tensor run_stage(size_t i, at::Tensor x, bool training) override {
    if (i == 0) {
      x = stem_.forward(x, training);
      return plan_.imagenet_stem ? at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1}) : x;
    }
    for (Block& block : groups_[i - 1]) x = block.forward(x, training);
    return x;
  }
  at::Tensor pool(const at::Tensor& map) const override { return global_average(map); }
  int64_t feature_size() const override { return channels_; }

 private:
  Plan plan_;
  int64_t channels_;
  ConvNorm stem_;
  std::vector<std::vector<Block>> groups_;
};

constexpr NormOptions kNorm{1e-6};

}  // namespace

std::unique_ptr<Backbone> make_resnet18(double width, uint64_t seed) {
  return std::make_unique<ResNet>(Plan{{2, 2, 2, 2}, {64, 128, 256, 512}, false, false, kNorm}, width, seed);
}

std::unique_ptr<Backbone> make_resnet32(double width, uint64_t seed) {
  return std::make_unique<ResNet>(Plan{{5, 5, 5}, {16, 32, 64}, false, false, kNorm}, width, seed);
}

std::unique_ptr<Backbone> make_resnet34(double width, uint64_t seed) {
  return std::make_unique<ResNet>(Plan{{3, 4, 6, 3}, {64, 128, 256, 512}, true, true, kNorm}, width, seed);
}

}  // namespace perennial
