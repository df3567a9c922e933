#include "edge/compile/description.h"

#include <functional>
#include <random>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "edge/compile/compile.h"
#include "edge/engine.h"
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

// Networks that somebody may write: layers drawn at random.
class Drawn {
 public:
  Drawn() : values_{{"image", *rc::gen::inRange(1, 6), kSide, kSide}} {
    const int count = *rc::gen::inRange(1, 12);
    for (int i = 0; i < count; ++i) {
      name_ = "l" + std::to_string(i);
      from_ = y_ = values_[*rc::gen::inRange<size_t>(0, values_.size())];
      layer_ = {{"in", from_.name}};
      operation();
      norm_and_activation();
      layer_["as"] = y_.name = name_;
      layers_.push_back(layer_);
      values_.push_back(y_);
    }
  }

  json text() const {
    return {{"image", {{"side", kSide}, {"channels", values_[0].channels}}},
            {"layers", layers_},
            {"outputs", {{"y", "last"}, {"x", values_[values_.size() / 2].name}}}};
  }
  const Weights& weights() const { return weights_; }

 private:
  static constexpr int kSide = 12;
  struct Known {
    std::string name;
    int channels, height, width;
  };
  static bool yes() { return *rc::gen::arbitrary<bool>(); }
  static bool alike(const Known& a, const Known& b) { return a.height == b.height && a.width == b.width; }

  void weight(const std::string& name, const std::vector<int64_t>& shape) {
    weights_[name] = {shape, naive::random_weight(name, shape)};
  }
  void next_layer(json layer) { layers_.push_back(std::exchange(layer_, std::move(layer))); }

  void operation() {
    switch (*rc::gen::inRange(0, 12)) {
      case 0: return convolution();
      case 1: return grouped();
      case 2: return scaled();
      case 3:
        if (y_.height % 2 != 0 || y_.width % 2 != 0) return;
        layer_["pool"] = 2, y_.height /= 2, y_.width /= 2;
        return;
      case 4:
        if (std::max(y_.height, y_.width) > 16) return;
        layer_["resize"] = 2, layer_["align_corners"] = yes(), y_.height *= 2, y_.width *= 2;
        return;
      case 5: layer_["means"] = true, y_.height = y_.width = 1; return;
      case 6:
        for (const Known& k : values_)
          if (k.channels == y_.channels && alike(k, y_)) layer_["add"].push_back(k.name);
        return;
      case 7:
        y_.channels = 0;
        for (const Known& k : values_)
          if (alike(k, y_) && y_.channels < 20) layer_["concat"].push_back(k.name), y_.channels += k.channels;
        return;
      case 8:
        for (const Known& k : values_)
          if (k.channels == y_.channels && alike(k, y_)) layer_["gate"] = k.name;
        return;
      case 9: return largest();
      case 10:
        if (y_.channels * y_.height * y_.width > 1000) return;
        layer_["flatten"] = true, y_.channels *= y_.height * y_.width, y_.height = y_.width = 1;
        return;
      default:
        if (y_.height * y_.width == 1) {
          y_.channels = *rc::gen::inRange(1, 20);
          layer_["dense"] = name_;
          weight(name_ + ".weight", {y_.channels, from_.channels});
        }
    }
  }

  void largest() {
    const int kernel = *rc::gen::inRange(1, 6), stride = *rc::gen::inRange(1, 3);
    layer_["max_pool"] = kernel, layer_["stride"] = stride;
    y_.height = (y_.height + kernel / 2 * 2 - kernel) / stride + 1;
    y_.width = (y_.width + kernel / 2 * 2 - kernel) / stride + 1;
  }

  void convolution() {
    const int kernel_h = *rc::gen::inRange(1, 6), kernel_w = yes() ? kernel_h : *rc::gen::inRange(1, 6),
              stride = *rc::gen::inRange(1, 3), dilation = *rc::gen::inRange(1, 4);
    const bool same = yes(), depthwise = kernel_h * kernel_w > 1 && yes();
    if (!depthwise) y_.channels = *rc::gen::inRange(1, 30);
    layer_.update({{"conv", name_}, {"stride", stride}, {"same", same}, {"dilation", dilation}});
    weight(name_ + ".weight", {y_.channels, depthwise ? 1 : from_.channels, kernel_h, kernel_w});
    if (yes()) weight(name_ + ".bias", {y_.channels});
    const auto outputs = [&](int side, int kernel) {
      const int reach = (kernel - 1) * dilation + 1;
      return same ? (side + stride - 1) / stride : (side + reach / 2 * 2 - reach) / stride + 1;
    };
    y_.height = outputs(from_.height, kernel_h), y_.width = outputs(from_.width, kernel_w);
  }

  void pointwise(const std::string& name, int groups) {
    y_.channels = groups * *rc::gen::inRange(1, 12);
    layer_["conv"] = name;
    weight(name + ".weight", {y_.channels, from_.channels / groups, 1, 1});
    if (yes()) weight(name + ".bias", {y_.channels});
  }

  void grouped() {
    int groups = 1;
    for (const int g : {2, 3, 5})
      if (from_.channels % g == 0) groups = g;
    pointwise(name_, groups);
    if (yes()) norm(name_ + ".before");
    if (yes()) next_layer({{"shuffle", groups}});
  }

  void scaled() {
    for (const Known& k : values_)
      if (k.channels == from_.channels && k.height * k.width == 1) {
        layer_["scale"] = k.name;
        next_layer(json::object());
        return pointwise(name_, 1);
      }
  }

  void norm(const std::string& name) {
    layer_["norm"] = name;
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      weight(name + part, {y_.channels});
  }

  void norm_and_activation() {
    if (!layer_.contains("norm") && yes()) norm(name_ + ".bn");
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        layer_["prelu"] = name_ + ".act";
        weight(name_ + ".act.weight", {y_.channels});
        break;
      case 1: layer_["leaky"] = 0.25; break;
      case 2: layer_["clamp"] = {-0.5, 1.5}; break;
      default: break;
    }
    if (layer_.empty() || (layer_.size() == 1 && layer_.contains("in"))) layer_["leaky"] = 0.5;
  }

  std::vector<Known> values_;
  json layers_ = json::array(), layer_;
  Weights weights_;
  std::string name_;
  Known from_, y_;
};

RC_GTEST_PROP(Description, IsTheNetworkThatItDescribes, ()) {
  const Drawn net;
  RC_LOG() << net.text().dump();
  RC_ASSERT(naive::worst_difference(read_description(net.text().dump(), net.weights())) <= 1e-4);
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
      const Graph graph = read_description(text.dump(), weights);
      const auto bytes = compile(graph);
      if (graph.nodes().front().height > 64) return "";
      Engine engine(Model::from_memory(bytes));
      engine.fill_inputs(1);
      engine.run();
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

// What is wrong only where operations are made of layers.
TEST(Description, SaysWhichLayerHasNoOperation) {
  EXPECT_EQ(
      error_after(
          [](Small& s) { s.text["layers"].insert(s.text["layers"].begin() + 2, json{{"shuffle", 2}}); }),
      "network description: layer 2: expected a shuffle right behind a 1x1 convolution of as many groups "
      "that "
      "nothing else reads");
  EXPECT_EQ(
      error_after([](Small& s) {
        s.text["layers"][3]["as"] = "means";
        s.text["layers"].push_back({{"in", "a"}, {"scale", "means"}});
      }),
      "network description: layer 5: expected a 1x1 convolution, and nothing else, to read what is scaled");
  EXPECT_EQ(error_after([](Small& s) {
              s.weights["b.weight"].shape = {8, 2, 1, 1}, s.text["layers"][1]["stride"] = 2;
            }),
            "network description: layer 1: b: expected a convolution that is 1x1 with stride 1, depthwise or "
            "of one "
            "group");
  EXPECT_EQ(error_after([](Small& s) { s.text["outputs"]["image"] = "a"; }),
            "network description: outputs: image: an output that is named like an input");
}

TEST(Description, VariancesAreAboveZero) {
  Small small;
  for (const char* part : {"n.weight", "n.bias", "n.running_mean"}) small.weights[part] = {{4}, {1, 1, 1, 1}};
  small.weights["n.running_var"] = {{4}, {1, 1, -1, 1}};
  small.text["layers"][0]["norm"] = "n";
  EXPECT_EQ(small.error(),
            "network description: layer 0: n.running_var: expected variances above 0, found -1.000000");
}

TEST(Description, OfTooManyLayersIsRefused) {
  Small small;
  json wide = json::array();
  for (int i = 0; i < 64; ++i) wide.push_back("a");
  json layers = json::array({small.text["layers"][0]});
  const auto after = [&](const json& layer, int times) {
    small.text["layers"] = layers;
    for (int i = 0; i < times; ++i) small.text["layers"].push_back(layer);
    return small.error();
  };
  EXPECT_EQ(after({{"add", wide}}, 127), "");  // of the depth that the compiler goes to
  EXPECT_EQ(after({{"add", wide}}, 128), "network description: layer 128: a network of more than 8192 nodes");
  layers.push_back({{"concat", wide}});
  EXPECT_EQ(after({{"leaky", 0.1}}, 200), "network description: a network of more than 8192 nodes");
}

// Whatever a description says, it is a network that runs or a complaint.
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

TEST(Description, KeysAreThereOnceAndNothingIsNestedDeep) {
  const auto complaint = [](const std::string& text) {
    try {
      read_description(text, {});
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(complaint(R"({"image": {"side": 8, "side": 9}, "layers": []})"),
            "network description: expected each name once, found 'side' twice");
  EXPECT_EQ(complaint("{\"a\": " + std::string(1 << 20, '[')),
            "network description: expected JSON nested at most 8 deep, found more");
  EXPECT_EQ(complaint("{").substr(0, 41), "network description: expected JSON, found");
}

}  // namespace
}  // namespace perennial::edge
