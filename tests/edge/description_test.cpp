#include "edge/compile/description.h"

#include <functional>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "edge/compile/compile.h"
#include "edge/nets/mobilenet.h"
#include "edge/nets/sinet.h"
#include "tests/edge/naive.h"

namespace perennial::edge {
namespace {

using nlohmann::json;

/// Draws weights and keeps them.
WeightSource recorded(Weights& weights) {
  return [&weights](const std::string& name, const std::vector<int64_t>& shape) {
    Weight& w = weights[name];
    w = {shape, naive::random_weight(name, shape)};
    return w.values;
  };
}

json image_of(int side) { return {{"side", side}}; }

// SINet's layers as sinet.cpp builds them.
json sinet_layers() {
  json layers = json::array();
  const auto down = [&](const std::string& name, const std::string& as, bool twice) {
    layers.push_back({{"conv", name + ".conv.0"}, {"stride", 2}, {"as", as + " wide"}});
    layers.push_back({{"means", true}});
    layers.push_back({{"dense", name + ".conv.1.dense.0"}, {"prelu", name + ".conv.1.dense.1"}});
    if (twice) layers.push_back({{"dense", name + ".conv.1.dense.2"}, {"prelu", name + ".conv.1.dense.3"}});
    layers.back()["as"] = as + " weights";
    layers.push_back({{"in", as + " wide"}, {"scale", as + " weights"}});
    layers.push_back(
        {{"conv", name + ".conv.2"}, {"norm", name + ".bn"}, {"prelu", name + ".act"}, {"as", as}});
  };
  const auto squeeze = [&](const std::string& name, const std::string& from, const std::string& as, int first,
                           int second, bool residual) {
    layers.push_back({{"in", from}, {"conv", name + ".c1.conv"}});
    layers.push_back({{"shuffle", 2}, {"as", as + " mixed"}});
    for (const auto& [branch, pool] : {std::pair{".d1", first}, {".d2", second}}) {
      if (pool > 1) layers.push_back({{"in", as + " mixed"}, {"pool", pool}});
      layers.push_back({{"conv", name + branch + ".conv.0"},
                        {"norm", name + branch + ".conv.1"},
                        {"prelu", name + branch + ".act_conv1x1.0"}});
      if (pool == 1) layers.back()["in"] = as + " mixed";
      layers.push_back({{"conv", name + branch + ".act_conv1x1.1"}});
      if (pool > 1) layers.push_back({{"resize", pool}, {"align_corners", true}});
      layers.push_back({{"norm", name + branch + ".bn"}, {"as", as + branch}});
    }
    layers.push_back({{"concat", {as + ".d1", as + ".d2"}}});
    if (residual) layers.push_back({{"add", {from}}});
    layers.push_back({{"norm", name + ".BR.bn"}, {"prelu", name + ".BR.act"}, {"as", as}});
  };
  const std::string e = "encoder.";
  layers.push_back(
      {{"conv", e + "level1.conv"}, {"stride", 2}, {"norm", e + "level1.bn"}, {"prelu", e + "level1.act"}});
  down(e + "level2_0", "f2a", false);
  squeeze(e + "level2.0", "f2a", "level2.0", 1, 1, false);
  squeeze(e + "level2.1", "level2.0", "level2.1", 1, 1, true);
  layers.push_back({{"concat", {"f2a", "level2.1"}}});
  layers.push_back({{"norm", e + "BR2.bn"}, {"prelu", e + "BR2.act"}});
  down(e + "level3_0", "f3a", true);
  const std::pair<int, int> pools[8] = {{1, 1}, {1, 1}, {1, 2}, {2, 4}, {1, 1}, {1, 1}, {2, 4}, {1, 2}};
  std::string before = "f3a";
  for (int i = 0; i < 8; ++i) {
    const std::string as = "level3." + std::to_string(i);
    squeeze(e + as, before, as, pools[i].first, pools[i].second, i > 0);
    before = as;
  }
  layers.push_back({{"concat", {"f3a", before}}});
  layers.push_back({{"norm", e + "BR3.bn"}, {"prelu", e + "BR3.act"}});
  layers.push_back({{"conv", e + "classifier.conv"}});
  layers.push_back({{"resize", 2}, {"align_corners", true}});
  layers.push_back({{"norm", "bn_3"}, {"as", "coarse"}});
  layers.push_back({{"in", "level2.1"},
                    {"conv", "level2_C.conv"},
                    {"norm", "level2_C.bn"},
                    {"prelu", "level2_C.act"},
                    {"as", "detail"}});
  layers.push_back({{"in", "coarse"}, {"gate", "detail"}});
  layers.push_back({{"resize", 2}, {"align_corners", true}});
  layers.push_back({{"norm", "bn_2"}});
  layers.push_back({{"resize", 2}, {"align_corners", true}});
  layers.push_back({{"conv", "classifier.1"}});
  return layers;
}

TEST(Description, OfSinetGivesTheSameModelFile) {
  Weights weights;
  const ImageInput pixels{{107, 112, 122}, {60, 61, 62}, 255, true};
  const auto expected = compile(sinet_portrait(recorded(weights), pixels, 64));
  const json text{
      {"image",
       {{"side", 64}, {"mean", {107, 112, 122}}, {"std", {60, 61, 62}}, {"divisor", 255}, {"bgr", true}}},
      {"eps", 1e-3},
      {"layers", sinet_layers()},
      {"outputs", {{"logits", "last"}}}};
  EXPECT_TRUE(compile(read_description(text.dump(), weights)) == expected);
}

TEST(Description, OfMobilenetGivesTheSameModelFileAtAnySide) {
  Weights weights;
  const auto expected = compile(mobilenet_v1_025(recorded(weights), {}, 96));
  json layers = json::array();
  const auto layer = [&](const std::string& stage, int first, int stride) {
    const std::string at = stage + ".";
    layers.push_back({{"conv", at + std::to_string(first)},
                      {"stride", stride},
                      {"norm", at + std::to_string(first + 1)},
                      {"leaky", 0.1}});
  };
  layer("stage1.0", 0, 2);
  const std::pair<const char*, int> blocks[] = {
      {"stage1.1", 1}, {"stage1.2", 2}, {"stage1.3", 1}, {"stage1.4", 2}, {"stage1.5", 1},
      {"stage2.0", 2}, {"stage2.1", 1}, {"stage2.2", 1}, {"stage2.3", 1}, {"stage2.4", 1},
      {"stage2.5", 1}, {"stage3.0", 2}, {"stage3.1", 1}};
  for (const auto& [name, stride] : blocks) layer(name, 0, stride), layer(name, 3, 1);
  layers.push_back({{"means", true}, {"as", "features"}});
  layers.push_back({{"dense", "fc"}});
  const json text{{"image", image_of(224)},
                  {"layers", layers},
                  {"outputs", {{"logits", "last"}, {"features", "features"}}}};
  Graph graph = read_description(text.dump(), weights, 96);
  ASSERT_EQ(graph.outputs().size(), 2U);
  std::swap(graph.outputs()[0], graph.outputs()[1]);  // by name in a description
  EXPECT_TRUE(compile(graph) == expected);
}

// Networks that somebody may write: layers drawn at random. Each is a model that gives what the naive
// evaluation gives, or is refused.
struct Drawn {
  json layers = json::array();
  Weights weights;

  void weight(const std::string& name, std::vector<int64_t> shape) {
    weights[name] = {shape, naive::random_weight(name, shape)};
  }
};

RC_GTEST_PROP(Description, IsTheNetworkThatItDescribes, ()) {
  Drawn net;
  struct Known {
    std::string name;
    int channels, side;
  };
  const int input = *rc::gen::inRange(1, 6), input_side = *rc::gen::element(4, 8, 12);
  std::vector<Known> values{{"image", input, input_side}};
  const int count = *rc::gen::inRange(1, 12);
  for (int i = 0; i < count; ++i) {
    const std::string name = "l" + std::to_string(i);
    const Known from = values[*rc::gen::inRange<size_t>(0, values.size())];
    json layer{{"in", from.name}, {"as", name}};
    int channels = from.channels, side = from.side;
    switch (*rc::gen::inRange(0, 8)) {
      case 0: {
        const int kernel = *rc::gen::element(1, 3, 5), stride = kernel > 1 ? *rc::gen::inRange(1, 3) : 1;
        const bool depthwise = kernel > 1 && *rc::gen::arbitrary<bool>();
        if (!depthwise) channels = *rc::gen::inRange(1, 10);
        layer["conv"] = name, layer["stride"] = stride, layer["same"] = *rc::gen::arbitrary<bool>();
        layer["dilation"] = *rc::gen::inRange(1, 4);
        net.weight(name + ".weight", {channels, depthwise ? 1 : from.channels, kernel, kernel});
        if (*rc::gen::arbitrary<bool>()) net.weight(name + ".bias", {channels});
        side = (side + stride - 1) / stride;
        break;
      }
      case 1:
        if (side % 2 == 0) layer["pool"] = 2, side /= 2;
        break;
      case 2:
        if (side < 16) layer["resize"] = 2, layer["align_corners"] = *rc::gen::arbitrary<bool>(), side *= 2;
        break;
      case 3: layer["means"] = true, side = 1; break;
      case 4:
        for (const Known& k : values)
          if (k.channels == channels && k.side == side) layer["add"].push_back(k.name);
        break;
      case 5:
        channels = 0;
        for (const Known& k : values)
          if (k.side == side && channels < 20) layer["concat"].push_back(k.name), channels += k.channels;
        break;
      case 6:
        for (const Known& k : values)
          if (k.channels == channels && k.side == side) layer["gate"] = k.name;
        break;
      default:
        if (side == 1) {
          channels = *rc::gen::inRange(1, 20);
          layer["dense"] = name;
          net.weight(name + ".weight", {channels, from.channels});
        }
    }
    if (*rc::gen::arbitrary<bool>()) {
      layer["norm"] = name + ".bn";
      for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
        net.weight(name + ".bn" + part, {channels});
    }
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        layer["prelu"] = name + ".act";
        net.weight(name + ".act.weight", {channels});
        break;
      case 1: layer["leaky"] = 0.25; break;
      case 2: layer["clamp"] = {-0.5, 1.5}; break;
      default: break;
    }
    if (layer.size() == 2) layer["leaky"] = 0.5;
    net.layers.push_back(layer);
    values.push_back({name, channels, side});
  }
  const json text{{"image", {{"side", input_side}, {"channels", input}}},
                  {"layers", net.layers},
                  {"outputs", {{"y", "last"}, {"x", values[values.size() / 2].name}}}};
  RC_LOG() << text.dump();
  RC_ASSERT(naive::worst_difference(read_description(text.dump(), net.weights)) <= 1e-4);
}

struct Small {
  json text{{"image", image_of(8)},
            {"layers",
             {{{"conv", "a"}, {"stride", 2}, {"as", "a"}},
              {{"conv", "b"}, {"clamp", {0, 6}}},
              {{"add", {"a"}}},
              {{"means", true}},
              {{"dense", "c"}}}},
            {"outputs", {{"logits", "last"}}}};
  Weights weights;

  Small() {
    for (const auto& [name, shape] : std::map<std::string, std::vector<int64_t>>{
             {"a.weight", {4, 3, 3, 3}}, {"b.weight", {4, 4, 1, 1}}, {"c.weight", {2, 4}}, {"c.bias", {2}}})
      weights[name] = {shape, naive::random_weight(name, shape)};
  }
  std::string error() const {
    try {
      compile(read_description(text.dump(), weights));
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  }
};

std::string error_after(const std::function<void(Small&)>& change) {
  Small small;
  change(small);
  return small.error();
}

// A value may be read in several places, and may be an output beside what is made of it.
TEST(Description, ValuesAreReadMoreThanOnce) {
  for (const char* layers :
       {R"([{"conv": "a", "as": "x"}, {"concat": ["x", "x"], "as": "y"}, {"add": ["y"]}])",
        R"([{"leaky": 0.5, "as": "x"}, {"add": ["x"]}])",
        R"([{"conv": "a", "as": "x"}, {"gate": "x"}, {"leaky": 0.1}])",
        R"([{"conv": "a", "as": "x"}, {"concat": ["x", "image"]}, {"leaky": 0.1}])",
        R"([{"conv": "a", "as": "y"}, {"concat": ["y"], "as": "x"}, {"concat": ["y", "x"]}])"}) {
    Small small;
    small.text["layers"] = json::parse(layers);
    small.text["outputs"] = {{"a", "last"}, {"b", "x"}, {"c", "image"}};
    EXPECT_LE(naive::worst_difference(read_description(small.text.dump(), small.weights)), 1e-4) << layers;
  }
}

TEST(Description, SaysWhereSomethingIsWrong) {
  EXPECT_EQ(Small().error(), "");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][1]["stried"] = 2; }),
            "network description: layer 1: expected keys that are known, found \"stried\"");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][0]["stride"] = 3; }),
            "network description: layer 0: expected \"stride\" of 1 to 2");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][1]["conv"] = "d"; }),
            "network description: layer 1: expected a tensor d.weight, found none");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][2]["add"] = {"x"}; }),
            "network description: layer 2: expected a value \"x\" to be given before it is read");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][2]["add"] = {"image"}; }),
            "network description: layer 2: add: shapes differ");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][2]["pool"] = 2; }),
            "network description: layer 2: expected one of \"add\" and \"pool\"");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"][3] = {{"as", "y"}}; }),
            "network description: layer 3: expected something that it does");
  EXPECT_EQ(error_after([](Small& s) { s.text["layers"].erase(3); }),
            "network description: layer 3: c: a dense layer reads planes of one pixel");
  EXPECT_EQ(error_after([](Small& s) { s.weights["c.weight"].shape = {2, 2}; }),
            "network description: layer 4: c.weight: expected [2, 4], found [2, 2]");
  EXPECT_EQ(error_after([](Small& s) { s.text["outputs"]["y"] = "z"; }),
            "network description: outputs: expected a value \"z\" to be given before it is read");
  EXPECT_EQ(error_after([](Small& s) { s.text["image"].erase("side"); }),
            "network description: image: expected \"side\" of 1 to 4096");
  EXPECT_THROW(read_description("{", {}), std::invalid_argument);
}

// Whatever a description says, it is a network or a complaint.
TEST(Description, HostileDescriptionsAreRefusedOrHarmless) {
  std::mt19937 random(3);
  const json junk[] = {nullptr, -1,  0,   1,    7,    1e300,          "a",    "last", json::array(),
                       {"a"},   {1}, "b", true, 4096, json::object(), {0, 1}, 64};
  const char* const keys[] = {"conv", "dense", "add", "concat", "pool", "resize", "means", "shuffle", "scale",
                              "gate", "norm",  "as",  "in",     "same", "leaky",  "clamp", "prelu"};
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Small small;
    json& layer = small.text["layers"][random() % 5];
    layer[keys[random() % std::size(keys)]] = junk[random() % std::size(junk)];
    if (round % 3 == 0) layer.erase(layer.begin());
    if (round % 5 == 0) small.text["image"]["side"] = junk[random() % std::size(junk)];
    refused += small.error().empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 1500);
  EXPECT_LT(refused, 3000);
}

}  // namespace
}  // namespace perennial::edge
