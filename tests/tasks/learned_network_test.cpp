#include "perennial/tasks/classify/learned_network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randint.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "edge/compile/compile.h"
#include "edge/image.h"
#include "edge/nets/classifiers.h"
#include "edge/perennial_edge.hpp"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/frame.h"
#include "perennial/io/image.h"
#include "perennial/io/safetensors.h"
#include "perennial/nn/backbone.h"
#include "perennial/nn/classifier.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::HasSubstr;

constexpr int64_t kSide = 40;

/// What a run would have left: a network whose normalisations have statistics, labels in order of arrival.
struct Learned {
  Learned(const std::string& backbone, HeadKind head)
      : net({.name = backbone, .width = 0.25}, head, {3, kSide, kSide}, {{0.5, 0.4, 0.3}, {0.2, 0.25, 0.3}},
            {}, 1) {
    net.grow(3);
    const auto spread = [](TensorList& tensors) {
      for (const NamedTensor& t : tensors.all()) {
        const at::NoGradGuard no_grad;
        if (t.name.ends_with("running_var")) t.value.uniform_(0.5, 2);
        if (t.name.ends_with("running_mean")) t.value.uniform_(-0.2, 0.2);
        if (t.value.dim() == 1 && t.name.ends_with("bias")) t.value.uniform_(-0.2, 0.2);
      }
    };
    spread(net.backbone().tensors());
    spread(net.head().tensors());
    net.save(file.tensors, "");
    file.metadata = {{"model", backbone},
                     {"labels", "2,0,3"},
                     {"classes", R"(["ant","bee","cat","dog"])"},
                     {"image", fmt::format("3,{0},{0}", kSide)},
                     {"stretch", "false"}};
  }
  void write(const std::filesystem::path& run) const { write_safetensors(run / "model.safetensors", file); }

  Classifier net;
  TensorFile file;
};

std::string refusal(const std::filesystem::path& run) {
  try {
    learned_network(run);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

Image noise(int64_t channels, int64_t height, int64_t width) {
  const at::Tensor pixels = at::randint(0, 256, {channels * height * width}, at::kByte);
  const auto* p = pixels.const_data_ptr<uint8_t>();
  return {channels, height, width, {p, p + pixels.numel()}};
}

at::Tensor as_batch(const Image& image) {
  at::Tensor batch = at::empty({1, image.channels, image.height, image.width}, at::kByte);
  std::copy(image.pixels.begin(), image.pixels.end(), batch.mutable_data_ptr<uint8_t>());
  return batch;
}

// The logits of the runtime, in the order of the classes, are those of the rows 1 (ant), 0 (cat), 2 (dog).
void expect_the_same(const std::filesystem::path& run, Classifier& net) {
  const auto bytes = edge::compile(learned_network(run));
  edge::Network network(bytes);
  const int output = network.output_named("logits");
  EXPECT_EQ(network.labels(output), (std::vector<std::string>{"ant", "cat", "dog"}));
  for (int i = 0; i < 3; ++i) {
    const Image image = noise(3, 30 + 20 * i, 51);
    const Frame frame = frame_of(image);
    network.run(frame.rgb, static_cast<int>(frame.width), static_cast<int>(frame.height));
    const at::Tensor logits = net.logits(as_batch(resize_to_square(image, kSide))).contiguous();
    const auto* expected = logits.const_data_ptr<float>();
    const auto found = network.output(output);
    double most = 0;
    for (int c = 0; c < 3; ++c) most = std::max<double>(most, std::abs(expected[c]));
    const int rows[] = {1, 0, 2};
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(found[c], expected[rows[c]], 1e-5 * (1 + most)) << c;
  }
}

class LearnedNetwork : public testing::TestWithParam<std::string> {};

TEST_P(LearnedNetwork, GivesTheLogitsOfTheClassifier) {
  for (const HeadKind head : {HeadKind::kLinear, HeadKind::kLinearNorm}) {
    const TemporaryFolder run;
    Learned learned(GetParam(), head);
    learned.write(run.path());
    expect_the_same(run.path(), learned.net);
  }
}

std::string name_of(const testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Every, LearnedNetwork, testing::ValuesIn(edge::classifier_names()), name_of);

TEST(LearnedNetworks, EveryBackboneOfImagesIsKnown) {
  auto names = backbone_names();
  std::erase(names, "identity");
  EXPECT_THAT(edge::classifier_names(), testing::UnorderedElementsAreArray(names));
}

TEST(LearnedNetworks, AFrozenBackboneMayBeTheOneTheRunBeganWith) {
  for (const std::string prefix : {"backbone.", ""}) {
    const TemporaryFolder run;
    Learned learned("resnet20", HeadKind::kLinear);
    TensorFile start;
    for (const auto& [name, tensor] : learned.file.tensors)
      if (name.starts_with("backbone.")) start.tensors[prefix + name.substr(9)] = tensor;
    std::erase_if(learned.file.tensors, [](const auto& t) { return t.first.starts_with("backbone."); });
    learned.write(run.path());
    EXPECT_THAT(refusal(run.path()),
                HasSubstr("backbone.conv1.weight: expected a tensor of 4 sides, found none"));
    write_safetensors(run / "start.safetensors", start);
    expect_the_same(run.path(), learned.net);
  }
}

TEST(LearnedNetworks, SayWhatTheyAreNot) {
  const TemporaryFolder run;
  EXPECT_THAT(refusal(run / "none"), HasSubstr("nothing there"));
  EXPECT_THAT(refusal(run.path()), HasSubstr("no model.safetensors in it"));
  write_file(run / "config.toml", "");
  EXPECT_THAT(refusal(run.path()), HasSubstr("the first task writes it"));
  const auto complaint = [&](const std::string& key, const std::string& value) {
    Learned learned("resnet20", HeadKind::kLinear);
    if (value.empty())
      learned.file.metadata.erase(key);
    else
      learned.file.metadata[key] = value;
    learned.write(run.path());
    return refusal(run.path());
  };
  EXPECT_THAT(complaint("model", "identity"),
              HasSubstr("a model that the edge runtime runs: mlp400, resnet18"));
  EXPECT_THAT(complaint("model", "resnet18"), HasSubstr("exporting a resnet18: add: shapes differ"));
  EXPECT_THAT(complaint("model", ""), HasSubstr("a classifier of `perennial learn`"));
  EXPECT_THAT(complaint("gate", "true"), testing::IsEmpty());
  EXPECT_THAT(complaint("image", ""), HasSubstr("`perennial update"));
  EXPECT_THAT(complaint("stretch", ""), HasSubstr("an older version"));
  EXPECT_THAT(complaint("image", "300"), HasSubstr("a model of images, found one of features [300]"));
  EXPECT_THAT(complaint("image", "3,5,6"), HasSubstr("square images of 1 or 3 channels"));
  EXPECT_THAT(complaint("image", "3,x,6"), HasSubstr("whole numbers"));
  EXPECT_THAT(complaint("labels", "1,2"), HasSubstr("head.weight with 2 rows"));
  EXPECT_THAT(complaint("labels", "1,2,4"), HasSubstr("the name of class 4"));
  EXPECT_THAT(complaint("labels", "1,2,-4"), HasSubstr("the name of class -4"));
  EXPECT_THAT(complaint("classes", "ant"), HasSubstr("the name of class 0"));
  Learned mattes("resnet20", HeadKind::kLinear);
  mattes.file.metadata = {{"gate", "true"}};
  mattes.write(run.path());
  EXPECT_THAT(refusal(run.path()), HasSubstr("mattes (`perennial segment export"));
}

// The runtime's resizing and the one that runs are trained and predicted with, which is Pillow's.
RC_GTEST_PROP(LearnedNetworks, ImagesAreResizedToTheSameBits, ()) {
  const int64_t height = *rc::gen::inRange(1, 90), width = *rc::gen::inRange(1, 90),
                side = *rc::gen::inRange(1, 60);
  const bool stretch = *rc::gen::arbitrary<bool>(), grey = *rc::gen::arbitrary<bool>();
  const Image image = noise(*rc::gen::element(1, 3), height, width);
  const Image expected =
      with_channels(with_channels(resize_to_square(image, side, stretch), grey ? 1 : 3), 3);
  edge::PortRecord port{};
  port.divisor = 1;
  for (float& s : port.std) s = 1;
  port.flags = edge::kRounded | (stretch ? 0U : edge::kCentre) | (grey ? edge::kGrey : 0U);
  const Frame frame = frame_of(image);
  std::vector<float> planes(expected.pixels.size());
  edge::Resizer().to_planes({frame.rgb.data(), static_cast<int32_t>(width), static_cast<int32_t>(height),
                             3 * static_cast<size_t>(width), 3},
                            port, static_cast<int32_t>(side), static_cast<int32_t>(side), planes.data());
  RC_ASSERT(std::equal(planes.begin(), planes.end(), expected.pixels.begin()));
}

}  // namespace
}  // namespace perennial
