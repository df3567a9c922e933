#include <optional>
#include <vector>

#include "perennial/nn/backbones.h"
#include "perennial/nn/layers.h"

namespace perennial {
namespace {

constexpr NormOptions kNorm{1e-3, 0.01};

ConvShape same(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
  return {in, out, kernel, stride, groups, /*same=*/true};
}

// Mobile inverted bottleneck: 1x1 expansion, depthwise, 1x1 projection without activation.
class MbConv {
 public:
  MbConv(const Scope& scope, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t expansion)
      : depthwise_(scope / "_depthwise_conv", scope / "_bn1",
                   same(in * expansion, in * expansion, kernel, stride, in * expansion), kNorm,
                   Activation::kRelu6),
        project_(scope / "_project_conv", scope / "_bn2", same(in * expansion, out, 1), kNorm,
                 Activation::kNone),
        residual_(stride == 1 && in == out) {
    if (expansion > 1)
      expand_.emplace(scope / "_expand_conv", scope / "_bn0", same(in, in * expansion, 1), kNorm,
                      Activation::kRelu6);
  }

  at::Tensor forward(const at::Tensor& x, bool training) {
    const at::Tensor wide = expand_ ? expand_->forward(x, training) : x;
    const at::Tensor y = project_.forward(depthwise_.forward(wide, training), training);
    return residual_ ? add_shortcut(y, x) : y;
  }

 private:
  std::optional<ConvNorm> expand_;
  ConvNorm depthwise_, project_;
  bool residual_;
};

struct Group {
  int64_t repeats, kernel, stride, expansion, out;
};

constexpr Group kGroups[] = {{1, 3, 1, 1, 16},  {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
                             {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};

class EfficientNetLite0 final : public Backbone {
 public:
  EfficientNetLite0(double width, uint64_t seed)
      : root_{tensors_, seed},
        features_(scaled_width(1280, width)),
        stem_(root_ / "_conv_stem", root_ / "_bn0", same(3, scaled_width(32, width), 3, 2), kNorm,
              Activation::kRelu6) {
    int64_t in = scaled_width(32, width);
    int64_t number = 0;
    for (const Group& group : kGroups) {
      const int64_t out = scaled_width(group.out, width);
      std::vector<MbConv>& blocks = groups_.emplace_back();
      for (int64_t i = 0; i < group.repeats; ++i) {
        blocks.emplace_back(root_ / "_blocks" / std::to_string(number++), in, out, group.kernel,
                            i == 0 ? group.stride : 1, group.expansion);
        in = out;
      }
    }
    head_.emplace(root_ / "_conv_head", root_ / "_bn1", same(in, features_, 1), kNorm, Activation::kRelu6);
  }

  std::vector<std::string> stages() const override {
    std::vector<std::string> names{"stem"};
    for (size_t group = 1; group <= groups_.size(); ++group) names.push_back("group" + std::to_string(group));
    names.emplace_back("head");
    return names;
  }
  at::Tensor run_stage(size_t i, at::Tensor x, bool training) override {
    if (i == 0) return stem_.forward(x, training);
    if (i > groups_.size()) return head_->forward(x, training);
    for (MbConv& block : groups_[i - 1]) x = block.forward(x, training);
    return x;
  }
  at::Tensor pool(const at::Tensor& map) const override { return global_average(map); }
  int64_t feature_size() const override { return features_; }
  const Normalisation* own_normalisation() const override {
    static const Normalisation kOwn{{127.0 / 255, 127.0 / 255, 127.0 / 255},
                                    {128.0 / 255, 128.0 / 255, 128.0 / 255}};
    return &kOwn;
  }

 private:
  Scope root_;
  int64_t features_;
  ConvNorm stem_;
  std::vector<std::vector<MbConv>> groups_;
  std::optional<ConvNorm> head_;
};

}  // namespace

std::unique_ptr<Backbone> make_efficientnet_lite0(double width, uint64_t seed) {
  return std::make_unique<EfficientNetLite0>(width, seed);
}

}  // namespace perennial
