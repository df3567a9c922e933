#include "perennial/tasks/segment/matte_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/max.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/engine.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/nn/sinet.h"
#include "perennial/tasks/edge_model.h"
#include "perennial/tasks/segment/background.h"
#include "perennial/tasks/segment/matte_runner.h"
#include "perennial/tasks/segment/portrait_data.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

constexpr int64_t kSide = 64;

TrainedWeights weights_of(const Sinet& net) {
  TrainedWeights file;
  net.tensors().save(file.tensors, "");
  return file;
}

std::unique_ptr<Sinet> small_sinet(const std::string& variant = "portrait", uint64_t seed = 3,
                                   int64_t classes = 0) {
  auto net = make_sinet({.variant = variant, .classes = classes, .height = kSide, .width = kSide}, seed);
  const at::NoGradGuard no_grad;
  // Statistics and slopes that do something: fresh ones are zeros and ones.
  for (const NamedTensor& t : net->tensors().all())
    if (!t.name.ends_with("num_batches_tracked") && t.value.dim() == 1) t.value.mul_(0.8).add_(0.15);
  return net;
}

// The deploy runtime gives what libtorch gives.
class MatteModel : public testing::TestWithParam<std::pair<const char*, int64_t>> {};

TEST_P(MatteModel, EqualsTheNetworkItWasExportedFrom) {
  const auto net = small_sinet(GetParam().first, 3, GetParam().second);
  const auto bytes = compile_for_edge(matte_graph(weights_of(*net), kSide));
  edge::Engine engine(edge::Model::from_memory(bytes));
  const at::Tensor image = at::randint(0, 256, {1, 3, kSide, kSide}, at::kByte);
  const at::Tensor x = sinet_preprocess(image);
  const at::NoGradGuard no_grad;
  const at::Tensor expected = net->forward(x, false).logits.contiguous();
  const at::Tensor planes = x.contiguous(at::MemoryFormat::Contiguous);
  const auto in = engine.input(0);
  std::copy_n(planes.const_data_ptr<float>(), in.size(), in.begin());
  engine.run();
  // Of one logit the runtime makes two: zero for the background before it.
  const auto out = engine.output(0);
  const size_t first = out.size() - static_cast<size_t>(expected.numel());
  EXPECT_EQ(std::count(out.begin(), out.begin() + static_cast<ptrdiff_t>(first), 0.0F), first);
  const at::Tensor found =
      at::from_blob(const_cast<float*>(out.data() + first), expected.sizes(), at::kFloat);
  const double scale = 1 + at::max(at::abs(expected)).item<double>();
  EXPECT_LT(at::max(at::abs(found - expected)).item<double>() / scale, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Networks, MatteModel,
                         testing::Values(std::pair("portrait", 2), std::pair("portrait", 1),
                                         std::pair("extremec3", 1)));

TEST(MatteGraph, NamesAMissingTensorAndAWrongShape) {
  TrainedWeights file = weights_of(*small_sinet());
  file.source = "mine";
  const auto message = [&] {
    try {
      matte_graph(file, kSide);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  file.tensors["bn_2.weight"] = file.tensors["encoder.level1.bn.weight"];
  EXPECT_EQ(message(), "loading weights: mine: bn_2.weight: expected [2], found [12]");
  file.tensors.erase("bn_2.weight");
  EXPECT_EQ(message(), "loading weights: mine: bn_2.weight: expected a tensor [2], found none");
  file.tensors["bn_2.weight"] = at::ones({2}, at::kInt);
  EXPECT_EQ(message(), "loading weights: mine: bn_2.weight: expected floating point, found integers");
  file.tensors["bn_2.weight"] = at::full({2}, std::nan(""));
  EXPECT_THAT(message(), testing::HasSubstr("bn_2.weight: expected finite numbers"));
  EXPECT_THROW(matte_graph(file, 100), std::invalid_argument);
}

class Runner : public testing::Test {
 protected:
  void SetUp() override { write_model("m.peb", 3); }
  void write_model(const std::string& name, uint64_t seed) const {
    const auto bytes = compile_for_edge(matte_graph(weights_of(*small_sinet("portrait", seed)), kSide));
    write_file(folder_ / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  static Frame noise(uint8_t first) {
    Frame frame{40, 30, {}};
    for (int i = 0; i < 40 * 30 * 3; ++i) frame.rgb.push_back(static_cast<uint8_t>(first + i * i % 97));
    return frame;
  }
  TemporaryFolder folder_;
};

TEST_F(Runner, EveryKeepsTheMatteAndSmoothMixesIt) {
  MatteRunner plain(folder_ / "m.peb", {}), rare(folder_ / "m.peb", {.every = 2}),
      smooth(folder_ / "m.peb", {.smooth = 0.5});
  const Frame a = noise(0), b = noise(140);
  const auto matte_a = plain.matte(a), matte_b = plain.matte(b);
  EXPECT_NE(matte_a, matte_b);
  EXPECT_EQ(rare.matte(a), matte_a);
  EXPECT_EQ(rare.matte(b), matte_a);
  EXPECT_EQ(rare.matte(b), matte_b);
  EXPECT_EQ(smooth.matte(a), matte_a);
  const auto mixed = smooth.matte(b);
  for (size_t p = 0; p < mixed.size(); ++p) EXPECT_NEAR(mixed[p], (matte_a[p] + matte_b[p]) / 2.0, 1);
  smooth.forget();
  EXPECT_EQ(smooth.matte(b), matte_b);
}

// The mirror image of a photograph gets the mirror image of its mask, whatever the network does.
TEST_F(Runner, ATeacherLooksAtBothSides) {
  write_model("undecided.peb", 8);  // half of the picture, on both sides of its middle
  MatteRunner runner(folder_ / "undecided.peb", {});
  const MaskSource teacher = teacher_masks(runner);
  const Frame frame = noise(0);
  const auto mirrored = [](std::vector<uint8_t> rows, int64_t width, int64_t step) {
    std::vector<uint8_t> out;
    for (size_t at = 0; at < rows.size(); at += static_cast<size_t>(width * step))
      for (int64_t x = width - 1; x >= 0; --x)
        for (int64_t i = 0; i < step; ++i) out.push_back(rows[at + static_cast<size_t>(x * step + i)]);
    return out;
  };
  const auto look = [&](const std::vector<uint8_t>& rgb) {
    return teacher("", image_of({40, 30, rgb}), {0, 0, 40, 30});
  };
  const PortraitMask plain = look(frame.rgb), other = look(mirrored(frame.rgb, 40, 3));
  EXPECT_EQ(mirrored(other.mask, 40, 1), plain.mask);
  EXPECT_EQ(other.agreement, plain.agreement);
  EXPECT_GT(plain.agreement, 0);
  EXPECT_LT(plain.agreement, 1) << "a network that makes no difference proves nothing";
  EXPECT_THAT(plain.mask, testing::Each(testing::AnyOf(0, 255)));
}

TEST_F(Runner, RefusesOptionsOutOfRangeAndOtherFiles) {
  EXPECT_THROW(MatteRunner(folder_ / "m.peb", {.smooth = 1}), std::invalid_argument);
  EXPECT_THROW(MatteRunner(folder_ / "m.peb", {.every = 0}), std::invalid_argument);
  EXPECT_ANY_THROW(MatteRunner(folder_ / "none.peb", {}));
}

TEST(Background, ColourFillsWhereTheMatteIsZero) {
  Frame frame{2, 1, {10, 20, 30, 200, 100, 50}};
  Background::parse("#ff8000").compose(frame, {255, 0});
  EXPECT_EQ(frame.rgb, (std::vector<uint8_t>{10, 20, 30, 255, 128, 0}));
  Frame half{1, 1, {0, 0, 0}};
  Background::parse("#ffffff").compose(half, {128});
  EXPECT_EQ(half.rgb[0], 127);
}

TEST(Background, BlurKeepsWhatIsEvenAndTheMean) {
  Frame even{9, 7, std::vector<uint8_t>(9 * 7 * 3, 77)};
  blur(even, 3);
  EXPECT_THAT(even.rgb, testing::Each(77));
  Frame edge{20, 1, {}};
  for (int x = 0; x < 20; ++x)
    for (int c = 0; c < 3; ++c) edge.rgb.push_back(x < 10 ? 0 : 200);
  blur(edge, 2);
  EXPECT_EQ(edge.rgb[0], 0);
  EXPECT_NEAR(edge.rgb[3 * 9], 80, 12);
  EXPECT_EQ(edge.rgb[3 * 19], 200);
}

TEST(Background, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"red", "#12345", "#12345g", ""})
    EXPECT_THROW(Background::parse(text), std::invalid_argument) << text;
}

}  // namespace
}  // namespace perennial
