#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/all.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/std.h>
#include <gtest/gtest.h>

#include "perennial/base/threads.h"
#include "perennial/nn/backbone.h"
#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

struct Expected {
  const char* name;
  std::vector<int64_t> input;
  int64_t features, parameters;
};

void PrintTo(const Expected& e, std::ostream* out) { *out << e.name; }

class EachNetwork : public testing::TestWithParam<Expected> {};

// The counts are those of the published nets without their heads; the 1x1 shortcuts of ResNet-32 add 2,752.
INSTANTIATE_TEST_SUITE_P(
    All, EachNetwork,
    testing::Values(Expected{"mlp400", {3, 28, 28}, 400, 2352 * 400 + 400 * 400 + 4 * 400},
                    Expected{"resnet18", {3, 32, 32}, 512, 11'168'832},
                    Expected{"resnet20", {3, 32, 32}, 64, 269'722 - 650},
                    Expected{"resnet32", {3, 32, 32}, 64, 464'154 - 650 + 2'752},
                    Expected{"resnet34", {3, 64, 64}, 512, 21'797'672 - 513'000},
                    Expected{"efficientnet_lite0", {3, 64, 64}, 1280, 4'652'008 - 1'281'000}));

TEST_P(EachNetwork, HasTheShapesAndParametersOfThePublishedOne) {
  const Expected& e = GetParam();
  const auto net = plain_backbone(e.name, e.input);
  EXPECT_EQ(net->feature_size(), e.features);
  EXPECT_EQ(net->tensors().parameter_count(), e.parameters);
  const at::NoGradGuard no_grad;
  std::vector<int64_t> shape = e.input;
  shape.insert(shape.begin(), 2);
  EXPECT_EQ(net->forward(noise(shape, 1), true).sizes(), (at::IntArrayRef{2, e.features}));
}

TEST_P(EachNetwork, FoldsNormalisationWithoutChangingTheResult) {
  const Expected& e = GetParam();
  const auto net = plain_backbone(e.name, e.input, 0.5);
  disturb_norms(net->tensors(), 5);
  std::vector<int64_t> shape = e.input;
  shape.insert(shape.begin(), 3);
  const at::Tensor x = noise(shape, 1);
  const at::Tensor unfolded = net->forward(x, false);  // gradients wanted: not folded
  ASSERT_TRUE(unfolded.requires_grad());
  const at::NoGradGuard no_grad;
  const double size = unfolded.abs().max().item().toDouble();
  EXPECT_GT(size, 0.01);
  EXPECT_LT(largest_difference(net->forward(x, false), unfolded), 1e-5 * std::max(1.0, size));
}

TEST_P(EachNetwork, NoticesThatFoldedWeightsAreOutOfDate) {
  const Expected& e = GetParam();
  const auto net = plain_backbone(e.name, e.input, 0.25);
  std::vector<int64_t> shape = e.input;
  shape.insert(shape.begin(), 4);
  const at::Tensor x = noise(shape, 1);
  const auto folded = [&] {
    const at::NoGradGuard no_grad;
    return net->forward(x, false);
  };
  const at::Tensor before = folded();
  {
    const at::NoGradGuard no_grad;
    net->forward(x, true);  // changes the running statistics alone
  }
  EXPECT_GT(largest_difference(folded(), before), 1e-6);
  EXPECT_LT(largest_difference(folded(), net->forward(x, false)), 1e-4);
  {
    const at::NoGradGuard no_grad;
    for (const at::Tensor& t : net->tensors().trainable()) t.mul_(1.1);  // as an optimiser would
  }
  const at::Tensor expected = net->forward(x, false);
  EXPECT_LT(largest_difference(folded(), expected), 1e-4 * expected.abs().max().item().toDouble());
}

TEST_P(EachNetwork, StartsFromWeightsThatAreAFunctionOfTheSeed) {
  const Expected& e = GetParam();
  const auto first = plain_backbone(e.name, e.input, 0.25, 7);
  set_thread_count(3);
  const auto same = plain_backbone(e.name, e.input, 0.25, 7);
  set_thread_count(1);
  const auto other = plain_backbone(e.name, e.input, 0.25, 8);
  for (size_t i = 0; i < first->tensors().all().size(); ++i) {
    const NamedTensor& t = first->tensors().all()[i];
    EXPECT_TRUE(at::equal(t.value, same->tensors().all()[i].value)) << t.name;
    const bool drawn = t.value.dim() > 1;
    EXPECT_EQ(!drawn, at::equal(t.value, other->tensors().all()[i].value)) << t.name;
  }
}

TEST_P(EachNetwork, ComputesTheSameFromAnyMemoryFormat) {
  const Expected& e = GetParam();
  const auto net = plain_backbone(e.name, e.input, 0.25);
  for (const NamedTensor& t : net->tensors().all())
    EXPECT_TRUE(t.value.dim() != 4 || t.value.is_contiguous(at::MemoryFormat::ChannelsLast)) << t.name;
  std::vector<int64_t> shape = e.input;
  shape.insert(shape.begin(), 3);
  const at::Tensor x = noise(shape, 1);
  const at::NoGradGuard no_grad;
  EXPECT_LT(largest_difference(net->forward(x, true),
                               net->forward(x.contiguous(at::MemoryFormat::ChannelsLast), true)),
            1e-5);
}

TEST(Networks, ScaleTheirWidthsInSteps8) {
  EXPECT_EQ(plain_backbone("resnet18", {3, 32, 32}, 0.25)->feature_size(), 128);
  EXPECT_EQ(plain_backbone("resnet32", {3, 32, 32}, 0.1)->feature_size(), 8);
  EXPECT_EQ(plain_backbone("mlp400", {3, 28, 28}, 0.33)->feature_size(), 136);
}

TEST(Networks, DrawConvolutionsFromKaimingByFanOut) {
  const auto net = plain_backbone("resnet18", {3, 32, 32});
  const at::Tensor w = named(net->tensors(), "layer4.1.conv2.weight").detach();
  EXPECT_NEAR(w.std().item().toDouble(), std::sqrt(2.0 / (512 * 9)), 2e-4);
  EXPECT_NEAR(w.mean().item().toDouble(), 0, 1e-4);
}

TEST(Networks, RefuseWhatTheyCannotTake) {
  EXPECT_THROW(plain_backbone("resnet81", {3, 32, 32}), std::invalid_argument);
  EXPECT_THROW(plain_backbone("resnet18", {64}), std::invalid_argument);
  EXPECT_THROW(plain_backbone("mlp400", {3, 28}), std::invalid_argument);
  const auto net = plain_backbone("mlp400", {3, 28, 28}, 0.1);
  EXPECT_THROW(net->forward(noise({2, 3, 32, 32}, 1), false), std::invalid_argument);
  EXPECT_EQ(plain_backbone("identity", {64})->forward(noise({2, 64}, 1), true).size(1), 64);
}

// The digest's block, written once more with nothing but ATen.
class ByHand {
 public:
  ByHand(const TensorList& tensors, double eps) : tensors_(tensors), eps_(eps) {}

  at::Tensor conv_norm_relu(const at::Tensor& x, const std::string& conv, const std::string& norm,
                            int64_t stride, int64_t padding) const {
    const at::Tensor y =
        at::conv2d(x, named(tensors_, conv + ".weight"), {}, {stride, stride}, {padding, padding});
    const auto stat = [&](const char* leaf) { return named(tensors_, norm + leaf); };
    return at::relu(at::batch_norm(y, stat(".weight"), stat(".bias"), stat(".running_mean"),
                                   stat(".running_var"), false, 0.1, eps_, false));
  }

  at::Tensor block(const at::Tensor& x, const std::string& name, int64_t stride, bool shortcut) const {
    at::Tensor y = conv_norm_relu(x, name + ".conv1", name + ".bn1", stride, 1);
    y = conv_norm_relu(y, name + ".conv2", name + ".bn2", 1, 1);
    return y.add(shortcut ? conv_norm_relu(x, name + ".shortcut.conv", name + ".shortcut.bn", stride, 0) : x);
  }

  at::Tensor groups(at::Tensor y, const std::vector<int64_t>& blocks) const {
    for (size_t g = 0; g < blocks.size(); ++g)
      for (int64_t i = 0; i < blocks[g]; ++i)
        y = block(y, "layer" + std::to_string(g + 1) + "." + std::to_string(i), g > 0 && i == 0 ? 2 : 1,
                  g > 0 && i == 0);
    return y.mean({2, 3});
  }

 private:
  const TensorList& tensors_;
  double eps_;
};

TEST(RainbowResNets, ApplyReluBeforeTheAddition) {
  const at::Tensor x = noise({2, 3, 16, 16}, 3);
  const auto check = [&](const char* name, const std::vector<int64_t>& blocks) {
    const auto net = plain_backbone(name, {3, 32, 32}, 0.5);
    disturb_norms(net->tensors(), 9);
    const ByHand hand(net->tensors(), 1e-6);
    const at::Tensor expected = hand.groups(hand.conv_norm_relu(x, "conv1", "bn1", 1, 1), blocks);
    EXPECT_LT(largest_difference(net->forward(x, false), expected), 1e-4) << name;
  };
  check("resnet18", {2, 2, 2, 2});
  check("resnet32", {5, 5, 5});
}

TEST(RainbowResNets, Resnet34HasAPooledStem) {
  const at::Tensor x = noise({2, 3, 64, 64}, 3);
  const auto net = plain_backbone("resnet34", {3, 64, 64}, 0.125);
  disturb_norms(net->tensors(), 9);
  const ByHand hand(net->tensors(), 1e-6);
  const at::Tensor stem =
      at::max_pool2d(hand.conv_norm_relu(x, "conv1", "bn1", 2, 3), {3, 3}, {2, 2}, {1, 1});
  // A ReLU after the sum of two that are not negative changes nothing.
  EXPECT_LT(largest_difference(net->forward(x, false), hand.groups(stem, {3, 4, 6, 3})), 1e-3);
}

// With its second normalisation silenced, a block passes its input through: the usual order (ReLU after the
// addition, none before) would give zeros instead.
TEST(RainbowResNets, PassTheInputThroughASilentBlock) {
  const auto net = plain_backbone("resnet32", {3, 32, 32});
  const at::NoGradGuard no_grad;
  for (const NamedTensor& t : net->tensors().all()) {
    if (t.name.ends_with("bn2.weight")) t.value.zero_();
    if (t.name.ends_with("bn2.bias")) t.value.fill_(-100);
  }
  const at::Tensor features = net->forward(noise({2, 3, 32, 32}, 3), false);
  EXPECT_GT(features.max().item().toDouble(), 0.01);
}

}  // namespace
}  // namespace perennial
