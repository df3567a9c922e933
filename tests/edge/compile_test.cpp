#include "edge/compile/compile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <pthread.h>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "edge/compile/onnx.h"
#include "edge/engine.h"
#include "edge/nets/extremec3.h"
#include "edge/nets/sinet.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

std::vector<float> noise(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> one(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = one(random);
  return values;
}

// The compiled model against the graph as it is written, at every instruction set of this machine.
void expect_equal_to_naive(const Graph& graph, double tolerance, uint32_t seed = 1) {
  const auto bytes = compile(graph);
  for (const Kernels* kernels : all_kernels()) {
    Engine engine(Model::from_memory(bytes), *kernels);
    const auto in = engine.input(0);
    const auto values = noise(in.size(), seed);
    const auto expected = naive::evaluate(graph, values);
    std::vector<float> first;
    for (int round = 0; round < 2; ++round) {  // the second finds the arena used, and has three threads
      std::copy(values.begin(), values.end(), in.begin());
      engine.set_threads(static_cast<size_t>(1 + 2 * round));
      engine.run();
      const auto out = engine.output(0);
      ASSERT_EQ(out.size(), expected.size());
      if (round == 0) first.assign(out.begin(), out.end());
      EXPECT_TRUE(std::ranges::equal(first, out)) << kernels->name << ": threads change the result";
      double worst = 0;
      for (size_t i = 0; i < out.size(); ++i)
        worst = std::max(worst, std::abs(out[i] - expected[i]) / (1 + std::abs(expected[i])));
      EXPECT_LT(worst, tolerance) << kernels->name;
    }
  }
}

TEST(Compile, ExtremeC3WithRandomWeights) {
  const Graph graph = extremec3_portrait(naive::random_weight, {}, 32);
  EXPECT_EQ(graph.node(graph.outputs()[0].second).height, 32);
  expect_equal_to_naive(graph, 2e-4);
}

TEST(Compile, SinetWithRandomWeights) {
  expect_equal_to_naive(sinet_portrait(naive::random_weight, {}, 64), 2e-4);
}

RC_GTEST_PROP(Compile, ConvolutionsOfAnyShape, ()) {
  const int channels = *rc::gen::inRange(1, 20), height = *rc::gen::inRange(1, 40),
            width = *rc::gen::inRange(1, 40);
  const int kernel = *rc::gen::element(1, 3, 5, 7), stride = *rc::gen::inRange(1, 3),
            out = *rc::gen::inRange(1, 20);
  const bool depthwise = *rc::gen::arbitrary<bool>();
  Graph g(naive::random_weight);
  const Value x = g.input("x", channels, height, width);
  Graph::Conv shape{depthwise ? channels : out, kernel, kernel, stride, depthwise ? channels : 1, true};
  if (kernel == 1) shape.stride = 1;
  if (*rc::gen::arbitrary<bool>()) shape.padding = Graph::Padding::kSame;
  shape.dilation = *rc::gen::element(1, 1, 2, 3, 8);
  if (depthwise && *rc::gen::arbitrary<bool>()) shape.kernel_w = 1;
  g.output("y", g.prelu("y.act", g.norm("y.bn", g.conv("y", x, shape), 1e-3)));
  expect_equal_to_naive(g, 1e-4);
}

RC_GTEST_PROP(Compile, GroupsShufflesAndResiduals, ()) {
  const int half = *rc::gen::inRange(1, 12), side = *rc::gen::inRange(1, 9) * 4,
            factor = *rc::gen::element(2, 4);
  Graph g(naive::random_weight);
  const Value x = g.conv("in", g.input("x", 3, side, side), {4 * half, 3, 3, 1, 1});
  const Value mixed = g.shuffle(g.conv("mix", x, {2 * half, 1, 1, 1, 2}), 2);
  const Value small =
      g.resize(g.conv("small", g.pool(mixed, factor), {2 * half}), factor, *rc::gen::arbitrary<bool>());
  const Value sum = g.add(g.concat({g.conv("large", mixed, {2 * half}), g.norm("small.bn", small, 1e-3)}), x);
  const Value y = g.clamp(g.norm("sum.bn", sum, 1e-3), -0.5F, 0.5F);
  g.output("y", g.concat({y, x}));
  expect_equal_to_naive(g, 1e-4);
}

RC_GTEST_PROP(Compile, DenseLayersOfAnyShape, ()) {
  const int inputs = *rc::gen::inRange(1, 70), outputs = *rc::gen::inRange(1, 40);
  Graph g(naive::random_weight);
  const Value x = g.means(g.input("x", inputs, 3, 5));
  const Value y = *rc::gen::arbitrary<bool>() ? g.dense("y", x, outputs, true)
                                              : g.conv("y", x, {outputs, 1, 1, 1, 1, true});
  g.output("z", g.leaky(g.add(g.conv("z", y, {outputs}), y), 0.1F));
  expect_equal_to_naive(g, 1e-4);
}

// They run as products, with what each output reads side by side.
TEST(Compile, ConvolutionsOfManyChannelsOverSmallPlanes) {
  struct Case {
    int height, width;
    Graph::Conv shape;
  };
  const auto same = Graph::Padding::kSame, half = Graph::Padding::kHalf;
  for (const Case& c :
       {Case{4, 4, {131, 3, 3, 1, 1, true, half}}, Case{7, 16, {128, 3, 3, 2, 1, true, half}},
        Case{5, 13, {130, 1, 1, 2, 1, true, half}}, Case{9, 6, {128, 5, 2, 2, 1, true, same}},
        Case{1, 1, {128, 3, 3, 1, 1, true, same}}, Case{6, 7, {128, 3, 3, 1, 1, true, half, 3}}}) {
    Graph g(naive::random_weight);
    const Value x = g.input("x", 129, c.height, c.width);
    const Value y = g.conv("y", x, c.shape), other = g.conv("z", x, c.shape);
    g.output("sum", g.prelu("y.act", g.add(g.norm("y.bn", y, 1e-3), other)));
    expect_equal_to_naive(g, 1e-4);
  }
}

RC_GTEST_PROP(Compile, LargestValuesOfAnyShape, ()) {
  Graph g(naive::random_weight);
  const Value x = g.input("x", *rc::gen::inRange(1, 6), *rc::gen::inRange(1, 80), *rc::gen::inRange(1, 80));
  g.output("y", g.max_pool(x, *rc::gen::inRange(1, 8), *rc::gen::inRange(1, 3)));
  expect_equal_to_naive(g, 1e-30);
}

// Without a copy: the planes lie one behind the other already.
RC_GTEST_PROP(Compile, FlattenedPlanesAreTheSameMemory, ()) {
  const int channels = *rc::gen::inRange(1, 6), height = *rc::gen::inRange(1, 12),
            width = *rc::gen::inRange(1, 12);
  Graph g(naive::random_weight);
  const Value x = g.input("x", channels, height, width);
  const Value y = g.leaky(g.norm("n", g.dense("y", g.flatten(x), 7, false), 1e-3), 0);
  g.output("z", g.dense("z", y, 3, true));
  RC_ASSERT(Model::from_memory(compile(g)).ops().size() == 2U);
  expect_equal_to_naive(g, 1e-4);
}

TEST(Compile, FlattenedPartsAndConcatenations) {
  Graph g(naive::random_weight);
  const Value x = g.conv("x", g.input("image", 3, 6, 5), {8, 3, 3});
  const Value part{x.node, 2, 4}, flat = g.flatten(part), other = g.flatten(g.max_pool(x, 3, 2));
  const Value both = g.concat({flat, other, Value{flat.node, 3, 10}});
  g.output("y", g.dense("y", both, 9, true));
  g.output("flat", flat);
  expect_equal_to_naive(g, 1e-4);
  EXPECT_LT(naive::worst_difference(g), 1e-4);
}

TEST(Compile, MaxPoolsKeepWhatIsNoNumber) {
  Graph g(naive::random_weight);
  g.output("y", g.max_pool(g.input("x", 1, 20, 20), 3, 2));
  const auto bytes = compile(g);
  for (const Kernels* kernels : all_kernels()) {
    Engine engine(Model::from_memory(bytes), *kernels);
    std::ranges::fill(engine.input(0), 1.0F);
    engine.input(0)[21] = std::numeric_limits<float>::quiet_NaN();  // of the windows 0, 1, 10 and 11
    engine.run();
    EXPECT_EQ(std::ranges::count_if(engine.output(0), [](float y) { return std::isnan(y); }), 4)
        << kernels->name;
  }
}

// How many taps of each output lie in a square of `side`: a kernel of ones over ones.
std::vector<float> taps_inside(const Graph::Conv& shape, int side) {
  Graph g([](const std::string&, const std::vector<int64_t>& s) {
    return std::vector<float>(static_cast<size_t>(s[0] * s[1] * s[2] * s[3]), 1.0F);
  });
  g.output("y", g.conv("y", g.input("x", shape.groups, side, side), shape));
  const auto bytes = compile(g);
  Engine engine(Model::from_memory(bytes));
  std::fill(engine.input(0).begin(), engine.input(0).end(), 1.0F);
  engine.run();
  const auto out = engine.output(0);
  const auto plane = static_cast<std::ptrdiff_t>(out.size()) / shape.out;
  return {out.begin(), out.begin() + plane};
}

TEST(Compile, PaddingIsThatOfTheOrigin) {
  for (const int channels : {1, 2}) {
    // TensorFlow's SAME of even sides under stride 2: the zeros are below and on the right.
    EXPECT_EQ(taps_inside({channels, 3, 3, 2, channels, false, Graph::Padding::kSame}, 4),
              (std::vector<float>{9, 6, 6, 4}));
    // torch.nn.Conv2d(c, c, 2, padding=1, groups=c) and (c, c, 3, padding=2, dilation=2, groups=c)
    EXPECT_EQ(taps_inside({channels, 2, 2, 1, channels}, 2), (std::vector<float>{1, 2, 1, 2, 4, 2, 1, 2, 1}));
    EXPECT_EQ(taps_inside({channels, 3, 3, 1, channels, false, Graph::Padding::kHalf, 2}, 3),
              (std::vector<float>{4, 2, 4, 2, 1, 2, 4, 2, 4}));
  }
}

RC_GTEST_PROP(Compile, SqueezeAndExcitationAndGates, ()) {
  const int channels = *rc::gen::inRange(2, 20), side = *rc::gen::inRange(1, 30);
  Graph g(naive::random_weight);
  const Value x = g.conv("in", g.input("x", 3, side, side), {channels, 3, 3});
  const Value s = g.prelu("s.act", g.dense("s", g.means(x), channels, true));
  const Value y = g.conv("y", g.scale(x, s), {channels});
  g.output("y", g.gate(y, x));
  expect_equal_to_naive(g, 1e-4);
}

TEST(Compile, NothingIsLeftOfNormalisationsAndActivations) {
  const auto bytes = compile(sinet_portrait(naive::random_weight, {}, 224));
  const Model model = Model::from_memory(bytes);
  int affine = 0;
  for (const OpRecord& op : model.ops()) affine += op.kind == OpKind::kAffine ? 1 : 0;
  // Concatenations are normalised whose parts others read too, or have an activation of their own; and the
  // gate's sum.
  EXPECT_LE(affine, 6);
  EXPECT_LT(bytes.size(), 360'000U);
  EXPECT_LT(Engine(model).budget().taken(), 3'500'000U);
}

// Every part is written where the outermost concatenation lies.
TEST(Compile, ConcatenationsInConcatenationsAreNotCopied) {
  Graph g(naive::random_weight);
  const Value x = g.input("x", 3, 8, 8);
  const Value inner = g.concat({g.conv("b", x, {4, 3, 3}), g.conv("c", x, {5, 3, 3})});
  g.output("y", g.concat({g.conv("a", x, {2, 3, 3}), g.concat({inner, g.conv("d", x, {3, 3, 3})})}));
  const auto bytes = compile(g);
  EXPECT_EQ(Model::from_memory(bytes).ops().size(), 4U);
  expect_equal_to_naive(g, 1e-4);
}

// A broken network does not look like a sound one.
TEST(Compile, WhatIsNoNumberStaysNone) {
  Graph g(naive::random_weight);
  const Value x = g.input("x", 3, 20, 20);
  g.output("y", g.prelu("act", g.conv("wide", g.prelu("first.act", g.conv("a", x, {4, 3, 3})), {24})));
  const auto bytes = compile(g);
  for (const Kernels* kernels : all_kernels()) {
    Engine engine(Model::from_memory(bytes), *kernels);
    std::ranges::fill(engine.input(0), std::numeric_limits<float>::quiet_NaN());
    engine.run();
    EXPECT_TRUE(std::ranges::all_of(engine.output(0), [](float y) { return std::isnan(y); }))
        << kernels->name;
  }
}

TEST(Compile, SubnormalWeightsBecomeZero) {
  Graph g([](const std::string&, const std::vector<int64_t>&) { return std::vector<float>{1e-39F}; });
  g.output("y", g.conv("y", g.input("x", 1, 1, 1), {1}));
  const auto bytes = compile(g);
  const Model model = Model::from_memory(bytes);
  EXPECT_EQ(*model.weight(model.ops()[0].weight), 0.0F);
}

TEST(Compile, AMissingTensorIsNamed) {
  const Weights none;
  try {
    sinet_portrait(source_of(none), {});
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(), "encoder.level1.conv.weight: expected a tensor [12, 3, 3, 3], found none");
  }
}

TEST(Compile, WhatTheRuntimeWouldRefuseIsNotWritten) {
  Graph g(naive::random_weight);
  g.output("y", g.conv("a", g.input("x", 1, 128, 128), {1, 100, 1}));
  try {
    compile(g);
    ADD_FAILURE();
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("the runtime would refuse it"), std::string::npos) << e.what();
  }
}

// As deep as a graph may be, on a stack of a thread that is not made for it.
TEST(Compile, ADeepNetworkNeedsNoDeepStack) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 << 10);
  const auto work = [](void*) -> void* {
    Graph g(naive::random_weight);
    Value x = g.input("x", 1, 1, 1);
    for (int i = 0; i < 8000; ++i) x = g.add(x, x);
    g.output("y", x);
    to_onnx(g, "deep");
    return new std::vector<std::byte>(compile(g));
  };
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &small, work, nullptr), 0);
  void* made = nullptr;
  pthread_join(thread, &made);
  const std::unique_ptr<std::vector<std::byte>> bytes(static_cast<std::vector<std::byte>*>(made));
  EXPECT_EQ(Model::from_memory(*bytes).ops().size(), 8000U);
}

}  // namespace
}  // namespace perennial::edge
