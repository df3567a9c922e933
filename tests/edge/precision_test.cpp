#include "edge/compile/precision.h"

#include <cmath>
#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "edge/compile/calibrate.h"
#include "edge/compile/compile.h"
#include "edge/nets/sinet.h"
#include "tests/edge/allocations.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

constexpr float kStep = 1.0F / 64;

// Weights that are multiples of kStep and lie on the integers that the compiler finds: each row has a 127.
std::vector<float> exact_weight(const std::string& name, const std::vector<int64_t>& shape) {
  std::vector<float> values = naive::random_weight(name, shape);
  if (shape.size() < 2) return values;
  const size_t row = values.size() / static_cast<size_t>(shape[0]);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = kStep * (i % row == 0 ? 127.0F : std::nearbyint(std::clamp(values[i], -1.9F, 1.9F) / kStep));
  return values;
}

struct Case {
  Graph graph{exact_weight};
  ValueRange range = range_of(-0.7F, 1.1F);
  std::vector<float> values;

  // An input that falls near no rounding border, and beyond both ends now and then.
  Value input(int channels, int height, int width) {
    const Value x = graph.input("x", channels, height, width);
    graph.nodes()[static_cast<size_t>(x.node)].range = range;
    std::mt19937 random(5);
    std::uniform_int_distribution<int> level(-20, 275);
    std::uniform_real_distribution<float> aside(-0.4F, 0.4F);
    for (int i = 0; i < channels * height * width; ++i)
      values.push_back(range.step *
                       (static_cast<float>(level(random)) - static_cast<float>(range.zero) + aside(random)));
    return x;
  }
};

// At every instruction set of this machine, against double precision on rounded inputs.
void expect_equal_to_naive(const Case& c, const Precision& precision, double tolerance) {
  const auto bytes = compile(c.graph, precision);
  const auto expected = naive::evaluate(c.graph, c.values, 0, naive::Arithmetic::kIntegers);
  for (const Kernels* kernels : all_kernels()) {
    Engine engine(Model::from_memory(bytes), *kernels);
    for (int round = 0; round < 2; ++round) {  // the second finds the arena used
      std::copy(c.values.begin(), c.values.end(), engine.input(0).begin());
      engine.run();
      const auto out = engine.output(0);
      ASSERT_EQ(out.size(), expected.size());
      double worst = 0;
      for (size_t i = 0; i < out.size(); ++i)
        worst = std::max(worst, std::abs(out[i] - expected[i]) / (1 + std::abs(expected[i])));
      EXPECT_LT(worst, tolerance) << kernels->name;
    }
  }
}

int integral_operations(const std::vector<std::byte>& bytes) {
  const Model model = Model::from_memory(bytes);
  int count = 0;
  for (const OpRecord& op : model.ops()) count += integral(op) ? 1 : 0;
  return count;
}

// What no kernel of integers does stays as it was: dilated kernels, and sums longer than 32 bits hold.
TEST(Precision, SomeConvolutionsStayFloats) {
  for (const auto& [channels, side, dilation] : {std::tuple{6, 9, 2}, {8192, 2, 1}}) {
    Case c;
    c.graph.output("y", c.graph.conv("a", c.input(channels, side, side),
                                     {5, 3, 3, 1, 1, true, Graph::Padding::kHalf, dilation}));
    const auto bytes = compile(c.graph, {.weights = Dtype::kInt8});
    EXPECT_EQ(integral_operations(bytes), 0);
    Engine engine(Model::from_memory(bytes));
    std::copy(c.values.begin(), c.values.end(), engine.input(0).begin());
    engine.run();
    const auto expected = naive::evaluate(c.graph, c.values);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(engine.output(0)[i], expected[i], 1e-2);
  }
}

RC_GTEST_PROP(Precision, IntegerConvolutionsOfAnyShape, ()) {
  Case c;
  const int channels = *rc::gen::inRange(2, 20), out = *rc::gen::inRange(4, 20);
  const int kernel = *rc::gen::element(1, 3, 5, 7), stride = *rc::gen::inRange(1, 3);
  const Value x = c.input(channels, *rc::gen::inRange(1, 40), *rc::gen::inRange(1, 80));
  Graph& g = c.graph;
  Graph::Conv shape{out, kernel, kernel, kernel == 1 ? 1 : stride, 1, true};
  if (*rc::gen::arbitrary<bool>()) shape.padding = Graph::Padding::kSame;
  g.output("y", g.prelu("y.act", g.conv("y", x, shape)));
  RC_ASSERT(integral_operations(compile(g, {Dtype::kInt8, {}})) == 1);
  expect_equal_to_naive(c, {Dtype::kInt8, {}}, 1e-5);
}

RC_GTEST_PROP(Precision, IntegerGroupsSkipsAndPoints, ()) {
  Case c;
  const int half = *rc::gen::inRange(4, 20), side = *rc::gen::inRange(1, 12);
  const Value x = c.input(2 * half, side, side);
  Graph& g = c.graph;
  const Value mixed = g.shuffle(g.conv("mix", x, {2 * half, 1, 1, 1, 2}), 2);
  g.output("y", g.clamp(g.add(g.norm("mix.bn", mixed, 1e-3), x), -1.5F, 1.5F));
  expect_equal_to_naive(c, {Dtype::kInt8, {}}, 1e-5);
}

RC_GTEST_PROP(Precision, IntegerDenseLayersOfAnySize, ()) {
  Case c;
  const Value x = c.input(*rc::gen::inRange(1, 300), 1, 1);
  c.graph.output("y", c.graph.prelu("y.act", c.graph.dense("y", x, *rc::gen::inRange(4, 40), true)));
  expect_equal_to_naive(c, {Dtype::kInt8, {}}, 1e-5);
}

// The weights of the 1x1 convolution meet the input times its scale.
TEST(Precision, ScaledInputsAreRoundedAfterScaling) {
  Case c;
  Graph& g = c.graph;
  const Value x = c.input(10, 9, 9);
  const Value s = g.dense("s", g.means(x), 10, true), scaled = g.scale(x, s);
  g.nodes()[static_cast<size_t>(scaled.node)].range = range_of(-3, 4);
  g.output("y", g.conv("y", scaled, {7}));
  EXPECT_EQ(integral_operations(compile(g, {Dtype::kInt8, {}})), 1);
  expect_equal_to_naive(c, {Dtype::kInt8, {}}, 0.05);  // a value may fall to the other side of a border
}

TEST(Precision, DepthwiseWeightsOfKnownStepsAreIntegersInTheFileAlone) {
  Case c;
  const Value x = c.input(6, 20, 20), y = c.graph.conv("y", x, {6, 3, 3, 1, 6});
  c.graph.output("y", y);
  EXPECT_EQ(Model::from_memory(compile(c.graph, {Dtype::kInt8, {}})).ops()[0].weight_type, Dtype::kBfloat16);
  c.graph.nodes()[static_cast<size_t>(y.node)].weight_step.assign(6, kStep);
  const auto bytes = compile(c.graph, {Dtype::kInt8, {}});
  EXPECT_EQ(integral_operations(bytes), 0);
  EXPECT_EQ(Model::from_memory(bytes).ops()[0].weight_type, Dtype::kInt8);
  expect_equal_to_naive(c, {Dtype::kInt8, {}}, 1e-5);
}

TEST(Precision, Bfloat16RoundsToTheNearestEven) {
  Graph g([](const std::string&, const std::vector<int64_t>&) {
    return std::vector<float>{1.0F, 1.00390625F, 1.01171875F, -3.14159265F};
  });
  g.output("y", g.conv("y", g.input("x", 4, 1, 1), {1}));
  const auto bytes = compile(g, {Dtype::kBfloat16, {}});
  Engine engine(Model::from_memory(bytes));
  const float expected[4] = {1.0F, 1.0F, 1.015625F, -3.140625F};
  for (size_t i = 0; i < 4; ++i) {
    for (size_t k = 0; k < 4; ++k) engine.input(0)[k] = k == i ? 1.0F : 0.0F;
    engine.run();
    EXPECT_EQ(engine.output(0)[0], expected[i]);
  }
}

TEST(Precision, StepsOfACheckpointAreKeptWhereTheyFit) {
  const auto step_of = [](float known) {
    Graph g([](const std::string&, const std::vector<int64_t>&) {
      return std::vector<float>{0.5F, -1.0F, 0, 0, 0, 0, 0, 0};
    });
    const Value y = g.conv("y", g.input("x", 2, 1, 1), {4});
    g.nodes()[static_cast<size_t>(y.node)].weight_step = {known, 0, 0, 0};
    g.output("y", y);
    const auto bytes = compile(g, {Dtype::kInt8, {}});
    const Model model = Model::from_memory(bytes);
    return *model.weight(model.ops()[0].weight_step);
  };
  EXPECT_EQ(step_of(0.25F), 0.25F);
  EXPECT_EQ(step_of(0.001F), 1.0F / 127);
}

TEST(Precision, TheBestRangeClipsWhatIsRare) {
  Histogram h;
  EXPECT_EQ(h.best_range().step, 0.0F);
  for (int i = 0; i < 100'000; ++i) h.add(static_cast<float>(i % 1000) * 0.001F);
  h.add(NAN), h.add(INFINITY);
  EXPECT_NEAR(h.best_range().step, 1.0F / 255, 2e-5F);
  EXPECT_EQ(h.best_range().zero, 0U);
  h.add(3.0F);
  EXPECT_LT(h.best_range().step, 2.9F / 255);
}

TEST(Precision, RangesCoverZero) {
  EXPECT_EQ(range_of(2, 5.1F).zero, 0U);
  EXPECT_EQ(range_of(2, 5.1F).step, 5.1F / 255);
  EXPECT_EQ(range_of(-5.1F, -2).zero, 255U);
  EXPECT_EQ(range_of(0, 0).step, 0.0F);
  EXPECT_EQ(range_of(0, INFINITY).step, 0.0F);
  EXPECT_EQ(range_of(NAN, 1).step, 1.0F / 255);
}

std::vector<float> noise(size_t count) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> one(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = one(random);
  return values;
}

// A whole network: close to what it was, much smaller, and a run allocates nothing.
TEST(Precision, ACalibratedNetworkIsCloseToFloat32) {
  const Graph graph = sinet_portrait(naive::random_weight, {}, 64);
  const auto values = noise(3 * 64 * 64);
  Calibrator calibrator(graph);
  std::copy(values.begin(), values.end(), calibrator.engine().input(0).begin());
  calibrator.observe();
  const auto out = calibrator.engine().output(0);
  const std::vector<float> expected(out.begin(), out.end());
  const auto error = [&](const Precision& precision, size_t most_bytes) {
    const auto bytes = compile(graph, precision);
    EXPECT_LT(bytes.size(), most_bytes);
    Engine engine(Model::from_memory(bytes));
    std::copy(values.begin(), values.end(), engine.input(0).begin());
    const int before = allocations();
    engine.run();
    EXPECT_EQ(allocations(), before);
    double square = 0, whole = 0;
    for (size_t i = 0; i < expected.size(); ++i)
      square += std::pow(engine.output(0)[i] - expected[i], 2), whole += std::pow(expected[i], 2);
    return std::sqrt(square / whole);
  };
  EXPECT_LT(error({Dtype::kBfloat16, {}}, 220'000), 0.02);
  EXPECT_LT(error({Dtype::kInt8, calibrator.ranges()}, 160'000), 0.05);
  EXPECT_LT(error({Dtype::kInt8, {}}, 160'000), 0.05);
}

TEST(Precision, IntegersGiveTheSameBitsForAnyNumberOfThreads) {
  const Graph graph = sinet_portrait(naive::random_weight, {}, 64);
  const auto values = noise(3 * 64 * 64);
  Calibrator calibrator(graph);
  std::copy(values.begin(), values.end(), calibrator.engine().input(0).begin());
  calibrator.observe();
  const auto bytes = compile(graph, {Dtype::kInt8, calibrator.ranges()});
  for (const Kernels* kernels : all_kernels()) {
    std::vector<float> alone;
    for (const size_t threads : {1, 2, 3, 7}) {
      Engine engine(Model::from_memory(bytes), *kernels);
      engine.set_threads(threads);
      int before = 0;
      for (int i = 0; i < 2; ++i) {
        std::copy(values.begin(), values.end(), engine.input(0).begin());
        before = allocations();
        engine.run();
      }
      EXPECT_EQ(allocations(), before);
      const auto out = engine.output(0);
      if (alone.empty()) alone.assign(out.begin(), out.end());
      EXPECT_EQ(std::memcmp(alone.data(), out.data(), alone.size() * sizeof(float)), 0)
          << kernels->name << " " << threads;
    }
  }
}

TEST(Precision, RangesOfAnotherModelAreAnError) {
  const Graph graph = sinet_portrait(naive::random_weight, {}, 64);
  EXPECT_THROW(compile(graph, {Dtype::kInt8, std::vector<ValueRange>(3)}), std::invalid_argument);
}

// The thread takes a subnormal step for zero while the model runs.
TEST(Precision, SubnormalInputStepsAreRefused) {
  Case c;
  c.graph.output("y", c.graph.conv("y", c.input(4, 3, 3), {4}));
  auto bytes = compile(c.graph, {Dtype::kInt8, {}});
  const size_t at =
      sizeof(Header) + Model::from_memory(bytes).tensors().size_bytes() + offsetof(OpRecord, input_step);
  const float step = 5e-39F;
  std::memcpy(bytes.data() + at, &step, sizeof step);
  const uint64_t fits = seal(bytes.data(), bytes.size());
  std::memcpy(bytes.data() + offsetof(Header, checksum), &fits, sizeof fits);
  EXPECT_THROW(Model::from_memory(bytes), BadModel);
}

}  // namespace
}  // namespace perennial::edge
