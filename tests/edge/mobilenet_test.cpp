#include "edge/nets/mobilenet.h"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "edge/compile/compile.h"
#include "edge/compile/listing.h"
#include "edge/engine.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

using nlohmann::json;

TEST(Mobilenet, WithRandomWeights) {
  const Graph graph = mobilenet_v1_025(naive::random_weight, {}, 64);
  EXPECT_EQ(graph.outputs()[1].first, "features");
  EXPECT_EQ(graph.outputs()[1].second.channels, 256);
  EXPECT_LE(naive::worst_difference(graph), 1e-4);
}

// A small network of 8-bit weights: every operation that a listing may hold.
struct Listed {
  json operations = json::array();
  Weights weights;
  std::mt19937 random{7};

  void tensor(const std::string& name, std::vector<int64_t> shape, bool bytes) {
    Weight w{std::move(shape), {}};
    size_t count = 1;
    for (const int64_t side : w.shape) count *= static_cast<size_t>(side);
    for (size_t i = 0; i < count; ++i)
      w.values.push_back(static_cast<float>(random() % 256) / (bytes ? 1.0F : 256.0F));
    weights[name] = std::move(w);
  }
  void conv(const std::string& name, int in, int out, std::vector<int64_t> shape, int stride = 1,
            const std::string& activation = "relu6") {
    const bool depthwise = shape[0] == 1 && shape[3] > 1;
    tensor(name + ".weight", shape, true);
    tensor(name + ".bias", {depthwise ? shape[3] : shape[0]}, false);
    operations.push_back({{"op", depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D"},
                          {"in", {in}},
                          {"out", out},
                          {"weight", name + ".weight"},
                          {"bias", name + ".bias"},
                          {"w_scale", 0.001},
                          {"w_zero", 120},
                          {"stride", stride},
                          {"padding", "SAME"},
                          {"activation", activation}});
  }
  Listed() {
    conv("a", 0, 10, {6, 3, 3, 3}, 2);
    conv("b", 10, 11, {1, 3, 3, 6});
    conv("c", 11, 12, {6, 1, 1, 6}, 1, "none");
    operations.push_back({{"op", "ADD"}, {"in", {12, 10}}, {"out", 13}, {"activation", "none"}});
    operations.push_back({{"op", "AVERAGE_POOL_2D"}, {"in", {13}}, {"out", 14}, {"kernel", {5, 5}}});
    conv("d", 14, 15, {4, 1, 1, 6}, 1, "none");
    operations.push_back({{"op", "RESHAPE"}, {"in", {15}}, {"out", 16}});
    operations.push_back({{"op", "SOFTMAX"}, {"in", {16}}, {"out", 17}});
  }
  Graph graph(int side = 10) const { return read_listing(operations.dump(), weights, {}, side); }
  std::string error() const {
    try {
      graph();
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  }
};

TEST(Listing, IsTheNetworkThatItLists) {
  const Listed listed;
  Graph graph = listed.graph();
  for (Node& n : graph.nodes()) n.range = {};  // real numbers, not 8 bits
  ASSERT_EQ(graph.outputs().size(), 2U);
  EXPECT_EQ(graph.outputs()[0].second.channels, 4);
  EXPECT_EQ(graph.outputs()[1].second.channels, 6);
  EXPECT_LE(naive::worst_difference(graph), 1e-5);
}

TEST(Listing, ConvolutionsAreDequantisedAndPaddedAsTensorFlowDoes) {
  const Listed listed;
  const Weight &w = listed.weights.at("a.weight"), &b = listed.weights.at("a.bias");
  const Graph graph = listed.graph();
  const Node& n = graph.nodes()[1];
  EXPECT_EQ(n.pad_h, 0);
  EXPECT_EQ(n.height, 5);
  EXPECT_EQ(n.bias, b.values);
  // Output 2, input 1, row 2, column 0.
  EXPECT_FLOAT_EQ(n.weight[((2 * 3 + 1) * 3 + 2) * 3], 0.001F * (w.values[((2 * 3 + 2) * 3) * 3 + 1] - 120));
}

// What the checkpoint knows of its 8 bits is used; what reads a sum, whose range it does not say, stays
// float.
TEST(Listing, KnowsRangesAndSteps) {
  const auto bytes = compile(Listed().graph(), {Dtype::kInt8, {}});
  const Model model = Model::from_memory(bytes);
  std::string integers;
  for (const OpRecord& op : model.ops())
    integers += integral(op) ? model.name(op.name) + std::string(" ") : "";
  EXPECT_EQ(integers, "2 6 ");  // named by what they end in: an activation, a sum
  EXPECT_EQ(model.ops()[0].input_step, 1.0F / 128);
  EXPECT_EQ(model.ops()[0].input_zero, 128U);
}

TEST(Listing, SaysWhereSomethingIsWrong) {
  const auto with = [](const std::function<void(Listed&)>& change) {
    Listed listed;
    change(listed);
    return listed.error();
  };
  EXPECT_EQ(with([](Listed& l) { l.operations[1]["op"] = "LSTM"; }),
            "network listing: operation 1: expected an operation that is known, found LSTM");
  EXPECT_EQ(with([](Listed& l) { l.operations[3]["in"] = {12, 99}; }),
            "network listing: operation 3: expected value 99 to be given before it is read");
  EXPECT_EQ(with([](Listed& l) { l.weights.erase("c.weight"); }),
            "network listing: operation 2: expected a tensor c.weight, found none");
  EXPECT_EQ(with([](Listed& l) { l.operations[0]["stride"] = 3; }),
            "network listing: operation 0: expected \"stride\" to be 1 or 2");
  EXPECT_EQ(with([](Listed& l) { l.operations[4]["kernel"] = {4, 5}; }),
            "network listing: operation 4: expected \"kernel\" to be the whole plane, 5 by 5");
  EXPECT_EQ(with([](Listed& l) { l.operations = 3; }),
            "network listing: the list: expected an array of 1 to 4096 operations");
  EXPECT_NE(Listed().graph(10).outputs().size(), 0U);
  EXPECT_THROW(read_listing("[{", {}, {}, 10), std::invalid_argument);
}

// Whatever a listing says, it is a network or a complaint.
TEST(Listing, HostileListingsAreRefusedOrHarmless) {
  const Listed whole;
  std::mt19937 random(3);
  const json values[] = {nullptr, -1, 0, 1, 7, 1e300, "relu6", "ADD", json::array(), {10}, {12, 10}, {1, 1}};
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Listed listed = whole;
    json& op = listed.operations[random() % listed.operations.size()];
    auto key = op.begin();
    std::advance(key, random() % op.size());
    *key = values[random() % std::size(values)];
    try {
      const auto bytes = compile(listed.graph());
      Engine engine(Model::from_memory(bytes));
      engine.fill_inputs(1);
      engine.run();
    } catch (const std::invalid_argument&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 3000);
}

}  // namespace
}  // namespace perennial::edge
