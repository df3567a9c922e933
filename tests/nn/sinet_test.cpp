#include "perennial/nn/sinet.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

std::string portrait_weights() {
  const char* data = std::getenv("PERENNIAL_DATA");
  return std::string(data == nullptr ? "" : data) + "/weights/sinet_portrait.safetensors";
}

#define NEED_PORTRAIT_WEIGHTS()                                                                       \
  if (!std::filesystem::exists(portrait_weights())) {                                                 \
    GTEST_SKIP() << "set PERENNIAL_DATA to the folder that holds weights/sinet_portrait.safetensors"; \
  }

std::unique_ptr<Sinet> published(const SinetOptions& options = {}) {
  auto net = make_sinet(options, 1);
  net->load_weights(read_safetensors(portrait_weights()), "weights");
  return net;
}

/// 0.01 sin(0.05 x + 0.03 y + c).
at::Tensor wave() {
  at::Tensor image = at::empty({1, 3, 224, 224});
  auto* p = image.mutable_data_ptr<float>();
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 224; ++y)
      for (int x = 0; x < 224; ++x) *p++ = static_cast<float>(0.01 * std::sin(0.05 * x + 0.03 * y + c));
  return image;
}

double at_pixel(const at::Tensor& map, int64_t c, int64_t y, int64_t x) {
  return map[0][c][y][x].item().toDouble();
}

struct Totals {
  int64_t parameters = 0, macs = 0;
};

Totals totals(const std::vector<LayerCost>& layers) {
  Totals sum;
  for (const LayerCost& row : layers) sum.parameters += row.parameters, sum.macs += row.macs;
  return sum;
}

LayerCost row(const std::vector<LayerCost>& layers, const std::string& name) {
  for (const LayerCost& r : layers)
    if (r.name == name) return r;
  throw std::invalid_argument("no row " + name);
}

TEST(Sinet, PortraitHasThePublishedCounts) {
  const auto net = make_sinet({}, 1);
  EXPECT_EQ(net->tensors().parameter_count(), 86910);
  const auto layers = net->layers();
  EXPECT_EQ(totals(layers).parameters, 86910);
  EXPECT_NEAR(static_cast<double>(totals(layers).macs) / 1e6, 63.87, 0.005);
  ASSERT_EQ(layers.size(), 20U);
  const std::vector<std::pair<std::string, std::pair<int64_t, double>>> expected{
      {"encoder.level1", {360, 4.064}},
      {"encoder.level2_0", {516, 0.941}},
      {"encoder.level2.0", {2544, 6.774}},
      {"encoder.level2.1", {2544, 6.774}},
      {"encoder.BR2", {192, 0}},
      {"encoder.level3_0", {8080, 2.864}},
      {"encoder.level3.0", {8160, 5.795}},
      {"encoder.level3.2", {9312, 5.090}},
      {"encoder.level3.3", {9312, 2.627}},
      {"encoder.level3.5", {10080, 7.301}},
      {"encoder.level3.6", {8544, 2.477}},
      {"encoder.level3.7", {9312, 4.638}},
      {"encoder.classifier", {288, 0.226}},
      {"level2_C", {102, 0.301}},
      {"classifier", {36, 1.806}}};
  for (const auto& [name, counts] : expected) {
    EXPECT_EQ(row(layers, name).parameters, counts.first) << name;
    EXPECT_NEAR(static_cast<double>(row(layers, name).macs) / 1e6, counts.second, 0.0006) << name;
  }
}

TEST(Sinet, CityscapesHasThePublishedCounts) {
  SinetOptions options;
  options.variant = "cityscapes";
  const auto net = make_sinet(options, 1);
  EXPECT_EQ(net->tensors().parameter_count(), 119418);
  const auto layers = net->layers();
  EXPECT_EQ(totals(layers).parameters, 119418);
  EXPECT_NEAR(static_cast<double>(totals(layers).macs) / 1e9, 1.389, 0.0006);
  EXPECT_EQ(row(layers, "encoder.level4_0").parameters, 13284);
  EXPECT_EQ(row(layers, "encoder.BR4").channels, 168);
  EXPECT_NEAR(static_cast<double>(row(layers, "classifier").macs) / 1e6, 189, 0.5);
}

TEST(Sinet, CityscapesGivesHalfSizeLogitsAndCoarseOnes) {
  const at::NoGradGuard no_grad;
  SinetOptions options;
  options.variant = "cityscapes";
  options.height = 128, options.width = 256;
  const auto net = make_sinet(options, 1);
  const SinetOutput out = net->forward(noise({1, 3, 128, 256}, 1), false);
  EXPECT_EQ(out.logits.sizes(), (std::vector<int64_t>{1, 19, 64, 128}));
  EXPECT_EQ(out.coarse.sizes(), (std::vector<int64_t>{1, 19, 8, 16}));
  EXPECT_EQ(row(net->layers(), "classifier").height, 64);
}

TEST(Sinet, PublishedWeightsGiveTheGoldenValuesOfZeros) {
  NEED_PORTRAIT_WEIGHTS();
  const at::NoGradGuard no_grad;
  const SinetOutput o = published()->forward(at::zeros({1, 3, 224, 224}), false);
  EXPECT_NEAR(at_pixel(o.coarse, 0, 0, 0), -0.028176, 1e-3);
  EXPECT_NEAR(at_pixel(o.coarse, 1, 0, 0), -0.733185, 1e-3);
  EXPECT_NEAR(at_pixel(o.coarse, 0, 14, 14), 0.079681, 1e-3);
  EXPECT_NEAR(at_pixel(o.coarse, 1, 14, 14), -0.322999, 1e-3);
  EXPECT_NEAR(o.coarse.sum().item().toDouble(), -285.0914, 0.1);
  EXPECT_NEAR(at_pixel(o.logits, 0, 0, 0), 1.275143, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 1, 0, 0), -1.257553, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 0, 112, 112), 1.069401, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 1, 112, 112), -1.074195, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 0, 223, 223), 0.361052, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 1, 223, 223), -0.372698, 1e-3);
  EXPECT_NEAR(o.logits.abs().sum().item().toDouble(), 125247.4, 30);
}

TEST(Sinet, PublishedWeightsGiveTheGoldenValuesOfAWave) {
  NEED_PORTRAIT_WEIGHTS();
  const at::NoGradGuard no_grad;
  const SinetOutput o = published()->forward(wave(), false);
  EXPECT_NEAR(at_pixel(o.coarse, 0, 0, 0), 0.524065, 1e-3);
  EXPECT_NEAR(at_pixel(o.coarse, 1, 0, 0), -0.913502, 1e-3);
  EXPECT_NEAR(at_pixel(o.coarse, 0, 14, 14), 0.225017, 1e-3);
  EXPECT_NEAR(at_pixel(o.coarse, 1, 14, 14), -1.01339, 1e-3);
  EXPECT_NEAR(o.coarse.sum().item().toDouble(), -512.9517, 0.1);
  EXPECT_NEAR(at_pixel(o.logits, 0, 0, 0), 2.867709, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 1, 0, 0), -2.826313, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 0, 112, 112), 3.545281, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 1, 112, 112), -3.584973, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 0, 223, 223), 0.65245, 1e-3);
  EXPECT_NEAR(at_pixel(o.logits, 1, 223, 223), -0.670323, 1e-3);
  EXPECT_NEAR(o.logits.abs().sum().item().toDouble(), 321210.75, 60);
  EXPECT_EQ(o.logits[0][1].gt(o.logits[0][0]).sum().item().toLong(), 0);
}

TEST(Sinet, TheGateMatters) {
  const at::NoGradGuard no_grad;
  SinetOptions open;
  open.gate = false;
  const auto gated = make_sinet({}, 1), ungated = make_sinet(open, 1);
  const at::Tensor x = noise({1, 3, 224, 224}, 2);
  const SinetOutput a = gated->forward(x, false), b = ungated->forward(x, false);
  EXPECT_EQ(largest_difference(a.coarse, b.coarse), 0);
  EXPECT_GT(largest_difference(a.logits, b.logits), 1e-3);
}

TEST(Sinet, BlockingMapIsOneMinusConfidence) {
  at::Tensor two = at::zeros({1, 2, 1, 1}), one = at::zeros({1, 1, 1, 1});
  EXPECT_NEAR(blocking_map(two).item().toDouble(), 0.5, 1e-7);
  EXPECT_NEAR(blocking_map(one).item().toDouble(), 0.5, 1e-7);
  two[0][1].fill_(-2.0), one.fill_(-2.0);
  const double expected = 1 - 1 / (1 + std::exp(-2.0));
  EXPECT_NEAR(blocking_map(two).item().toDouble(), expected, 1e-6);
  EXPECT_NEAR(blocking_map(one).item().toDouble(), expected, 1e-6);  // not 0, as a softmax of one would give
}

TEST(Sinet, EveryParameterLearns) {
  SinetOptions options;
  options.height = options.width = 64;
  for (const int64_t classes : {2, 1}) {
    options.classes = classes;
    const auto net = make_sinet(options, 3);
    const SinetOutput out = net->forward(noise({2, 3, 64, 64}, 4), true);
    EXPECT_EQ(out.logits.sizes(), (std::vector<int64_t>{2, classes, 64, 64}));
    out.logits.mul(noise(out.logits.sizes(), 5)).sum().backward();
    for (const NamedTensor& t : net->tensors().all())
      if (t.trainable) {
        EXPECT_TRUE(t.value.grad().defined()) << t.name;
        EXPECT_GT(t.value.grad().abs().sum().item().toDouble(), 0) << t.name;
      }
  }
}

TEST(Sinet, FoldedNormalisationGivesTheSame) {
  SinetOptions options;
  options.height = options.width = 64;
  const auto net = make_sinet(options, 3);
  disturb_norms(net->tensors(), 5);
  const at::Tensor x = noise({1, 3, 64, 64}, 6), with_gradients = net->forward(x, false).logits;
  const at::NoGradGuard no_grad;
  EXPECT_LT(largest_difference(net->forward(x, false).logits, with_gradients),
            1e-4 * with_gradients.abs().max().item().toDouble());
  EXPECT_EQ(largest_difference(net->encode(x, false), net->forward(x, false).coarse), 0);
}

TEST(Sinet, BadOptionsAreNamed) {
  SinetOptions options;
  options.height = 100;
  EXPECT_THROW(make_sinet(options, 1), std::invalid_argument);
  options = {};
  options.variant = "landscape";
  EXPECT_THROW(make_sinet(options, 1), std::invalid_argument);
  options = {};
  options.classes = -1;
  EXPECT_THROW(make_sinet(options, 1), std::invalid_argument);
}

TEST(Sinet, TableNamesEveryLayerAndTheTotal) {
  const std::string table = layer_table(make_sinet({}, 1)->layers());
  EXPECT_NE(table.find("encoder.level3.7"), std::string::npos);
  EXPECT_NE(table.find("S2-module (5,1)(3,2) residual"), std::string::npos);
  EXPECT_NE(table.find("86910     63.87"), std::string::npos) << table;
}

// ExtremeC3 is told from its weights: they load, and layers and multiply-adds come to what its authors
// publish (0.038 M and 0.128 G).
TEST(ExtremeC3, CountsAreThePublished) {
  SinetOptions options;
  options.variant = "extremec3";
  const auto net = make_sinet(options, 1);
  const Totals sum = totals(net->layers());
  EXPECT_EQ(sum.parameters, net->tensors().parameter_count());
  EXPECT_NEAR(static_cast<double>(sum.parameters), 38e3, 1e3);
  EXPECT_NEAR(static_cast<double>(sum.macs), 0.128e9, 1.5e6);
  EXPECT_EQ(net->forward(at::zeros({1, 3, 224, 224}), false).logits.sizes(),
            at::IntArrayRef({1, 1, 224, 224}));
}

// The values are of another program that was written for the reconstruction, layer after layer on the same
// weights.
TEST(ExtremeC3, PublishedWeightsLoad) {
  const char* data = std::getenv("PERENNIAL_DATA");
  const std::string weights =
      std::string(data == nullptr ? "" : data) + "/weights/extremec3_portrait.safetensors";
  if (!std::filesystem::exists(weights)) GTEST_SKIP() << "set PERENNIAL_DATA: no weights of ExtremeC3";
  SinetOptions options;
  options.variant = "extremec3";
  const auto net = make_sinet(options, 1);
  net->load_weights(read_safetensors(weights), "weights");
  const at::NoGradGuard no_grad;
  const at::Tensor logits = net->forward(wave(), false).logits;
  EXPECT_NEAR(at_pixel(logits, 0, 0, 0), -0.891403, 1e-4);
  EXPECT_NEAR(at_pixel(logits, 0, 112, 112), -0.900611, 1e-4);
  EXPECT_NEAR(at_pixel(logits, 0, 50, 180), -0.877727, 1e-4);
  EXPECT_NEAR(at_pixel(logits, 0, 223, 223), -0.903317, 1e-4);
}

}  // namespace
}  // namespace perennial
