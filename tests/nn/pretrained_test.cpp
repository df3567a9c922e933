#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <ATen/ops/argmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/nn/classifier.h"
#include "tests/base/temporary_folder.h"
#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

std::string folder(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

Classifier pretrained(const char* model, const std::string& weights, int64_t side, int64_t classes) {
  ModelOptions options;
  options.name = model;
  options.weights = weights;
  Classifier classifier(options, HeadKind::kLinear, {3, side, side}, Normalisation{{0, 0, 0}, {1, 1, 1}}, {},
                        1);
  classifier.grow(classes);
  return classifier;
}

// Expected logits: the published PyTorch programs on the same image.
TEST(Pretrained, Resnet20GivesThePublishedLogits) {
  const std::string path = folder("PERENNIAL_DATA") + "/weights/resnet20_cifar10.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "set PERENNIAL_DATA to the folder that holds weights/";
  Classifier classifier = pretrained("resnet20", path, 32, 10);
  ASSERT_TRUE(classifier.load_pretrained_head());
  const at::Tensor expected = at::tensor(
      {1.0629, 24.23994, -7.29796, -4.42335, -16.39837, 1.27656, 12.04231, -11.76822, -5.23365, 6.49118});
  EXPECT_LT(largest_difference(classifier.logits(pattern_image(32))[0], expected), 1e-3);
}

TEST(Pretrained, EfficientNetLite0GivesThePublishedLogits) {
  const std::string path = folder("PERENNIAL_WEIGHTS") + "/efficientnet_lite0.safetensors";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "run `make weights` and set PERENNIAL_WEIGHTS to the folder it wrote";
  Classifier classifier = pretrained("efficientnet_lite0", path, 224, 1000);
  ASSERT_TRUE(classifier.load_pretrained_head());
  const at::Tensor logits = classifier.logits(pattern_image(224))[0];
  const std::vector<std::pair<int64_t, double>> expected{
      {905, 7.12506}, {904, 4.40071}, {530, 4.2312}, {892, 4.2064}, {854, 4.13223}};
  for (const auto& [row, value] : expected) EXPECT_NEAR(logits[row].item().toDouble(), value, 1e-3);
}

TEST(Pretrained, HeadIsLeftAloneWhenTheClassesDiffer) {
  const TemporaryFolder folder;
  const std::string path = (folder / "net.safetensors").string();
  ModelOptions options;
  options.name = "resnet20";
  options.width = 0.5;
  const auto net = make_backbone(options, {3, 32, 32}, 4);
  TensorFile file;
  net->tensors().save(file.tensors, "");
  file.tensors["linear.weight"] = noise({4, net->feature_size()}, 1);
  file.tensors["linear.bias"] = noise({4}, 2);
  write_safetensors(path, file);
  options.weights = path;
  Classifier classifier(options, HeadKind::kLinear, {3, 32, 32}, Normalisation{}, {}, 1);
  classifier.grow(3);
  EXPECT_FALSE(classifier.load_pretrained_head());
  classifier.grow(4);
  EXPECT_TRUE(classifier.load_pretrained_head());
  EXPECT_EQ(largest_difference(named(classifier.head().tensors(), "bias"), file.tensors["linear.bias"]), 0);
  EXPECT_EQ(largest_difference(named(classifier.backbone().tensors(), "conv1.weight"),
                               file.tensors["conv1.weight"]),
            0);
}

class BroughtWeights : public testing::Test {
 protected:
  BroughtWeights() {
    options_.name = "resnet20";
    options_.width = 0.5;
    make_backbone(options_, {3, 32, 32}, 4)->tensors().save(own_.tensors, "");
    options_.weights = (folder_ / "w.safetensors").string();
  }
  std::unique_ptr<Backbone> load(const TensorFile& file) const {
    write_safetensors(options_.weights, file);
    return make_backbone(options_, {3, 32, 32}, 1);
  }
  std::string complaint(const std::string& name, const at::Tensor& tensor) const {
    TensorFile file = own_;
    file.tensors[name] = tensor;
    try {
      load(file);
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(options_.weights));
      return e.what();
    }
    return "";
  }
  ModelOptions options_;
  TensorFile own_;
  TemporaryFolder folder_;
};

TEST_F(BroughtWeights, LoadBehindTheNamesOfWrappersAndInAnyFloatingPoint) {
  for (const char* wrapper :
       {"module.", "_orig_mod.module.", "state_dict.model.net.", "backbone.", "module.backbone."})
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
      TensorFile file;
      for (const auto& [name, tensor] : own_.tensors) file.tensors[wrapper + name] = tensor.to(type);
      file.tensors["ema.decay"] = at::zeros({1});
      file.tensors["bn1.num_batches_tracked"] = at::zeros({}, at::kLong);
      const auto net = load(file);
      EXPECT_LT(largest_difference(named(net->tensors(), "conv1.weight"), own_.tensors["conv1.weight"]), 0.01)
          << wrapper;
    }
}

TEST_F(BroughtWeights, ATensorWithoutNumbersIsNamed) {
  const at::Tensor& good = own_.tensors["conv1.weight"];
  for (const at::ScalarType type : {at::kChar, at::kByte, at::kLong, at::kBool})
    EXPECT_THAT(complaint("conv1.weight", good.to(type)),
                testing::AllOf(testing::HasSubstr("conv1.weight"), testing::HasSubstr("integers")));
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    at::Tensor bad = good.clone();
    bad[0][0][0][0] = value;
    EXPECT_THAT(
        complaint("conv1.weight", bad),
        testing::AllOf(testing::HasSubstr("conv1.weight"), testing::HasSubstr("NaN or infinity in 1 of")));
  }
  EXPECT_THAT(complaint("conv1.weight", at::zeros({1, 2})),
              testing::AllOf(testing::HasSubstr("conv1.weight [8, 3, 3, 3]"), testing::HasSubstr("[1, 2]")));
}

}  // namespace
}  // namespace perennial
