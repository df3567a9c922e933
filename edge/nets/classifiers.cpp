#include "edge/nets/classifiers.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

namespace perennial::edge {
namespace {

constexpr double kHeadEps = 1e-6, kRmEps = 1e-6, kPlainEps = 1e-5, kLiteEps = 1e-3;

/// Layers by their tensors, which say how many channels they have.
class Net {
 public:
  Net(const Weights& weights, double eps, Graph::Padding padding = Graph::Padding::kHalf)
      : weights_(weights), g_(source_of(weights)), eps_(eps), padding_(padding) {}

  Graph& graph() { return g_; }
  bool has(const std::string& name) const { return weights_.contains("backbone." + name + ".weight"); }

  /// Convolution without bias, batch normalisation.
  Value conv(const std::string& conv, const std::string& norm, Value x, int stride = 1) {
    const auto s = shape("backbone." + conv + ".weight", 4);
    Graph::Conv layer{s[0], s[2], s[3], stride, x.channels / std::max(1, s[1])};
    layer.padding = padding_;
    return g_.norm("backbone." + norm, g_.conv("backbone." + conv, x, layer), eps_);
  }
  Value relu(Value x) { return g_.leaky(x, 0); }
  Value relu6(Value x) { return g_.clamp(x, 0, 6); }
  Value dense(const std::string& dense, const std::string& norm, Value x) {
    const auto s = shape("backbone." + dense + ".weight", 2);
    return relu(g_.norm("backbone." + norm, g_.dense("backbone." + dense, x, s[0], false), eps_));
  }
  Value head(Value features) {
    const int classes = shape("head.weight", 2)[0];
    if (weights_.contains("head.bias")) return g_.dense("head", features, classes, true);
    return g_.norm("head.bn", g_.dense("head", features, classes, false), kHeadEps);
  }

 private:
  std::vector<int> shape(const std::string& name, size_t sides) const {
    const auto found = weights_.find(name);
    const bool known = found != weights_.end();
    if (!known || found->second.shape.size() != sides)
      throw std::invalid_argument(name + ": expected a tensor of " + std::to_string(sides) +
                                  " sides, found " +
                                  (known ? std::to_string(found->second.shape.size()) : "none"));
    return {found->second.shape.begin(), found->second.shape.end()};
  }

  const Weights& weights_;
  Graph g_;
  double eps_;
  Graph::Padding padding_;
};

/// Builds the layers from the image on; gives the features.
using Layers = std::function<Value(Net&, Value image)>;

Value mlp(Net& net, Value image) {
  const Value x = net.dense("fc1", "bn1", net.graph().flatten(image));
  return net.dense("fc2", "bn2", x);
}

std::string block_name(size_t group, int block) {
  return "layer" + std::to_string(group + 1) + "." + std::to_string(block);
}

/// Rainbow Memory's order: ReLU after both convolutions of a block, and after the addition in ResNet-34 only.
struct ReversedResNet {
  std::vector<int> blocks;
  bool imagenet;

  Value operator()(Net& net, Value image) const {
    Value x = net.relu(net.conv("conv1", "bn1", image, imagenet ? 2 : 1));
    if (imagenet) x = net.graph().max_pool(x, 3, 2);
    for (size_t group = 0; group < blocks.size(); ++group)
      for (int i = 0; i < blocks[group]; ++i)
        x = block(net, block_name(group, i), x, group > 0 && i == 0 ? 2 : 1);
    return net.graph().means(x);
  }

 private:
  Value block(Net& net, const std::string& name, Value x, int stride) const {
    const Value first = net.relu(net.conv(name + ".conv1", name + ".bn1", x, stride));
    const Value second = net.relu(net.conv(name + ".conv2", name + ".bn2", first));
    const std::string other = name + ".shortcut";
    const Value skip =
        net.has(other + ".conv") ? net.relu(net.conv(other + ".conv", other + ".bn", x, stride)) : x;
    const Value sum = net.graph().add(second, skip);
    return imagenet ? net.relu(sum) : sum;
  }
};

// He et al. 2016, option A: every other pixel, and zeros for the channels that are new, half of them on each
// side; as a 1x1 convolution.
Value shortcut_a(Graph& g, Value x, int channels) {
  if (channels < x.channels)
    throw std::invalid_argument("a group of layers with fewer channels than the one before");
  const Node& from = g.node(x);
  Node n;
  n.kind = NodeKind::kConv;
  n.inputs = {x};
  n.channels = channels, n.height = (from.height + 1) / 2, n.width = (from.width + 1) / 2;
  n.stride = 2;
  n.bias.assign(static_cast<size_t>(channels), 0.0F);
  n.weight.assign(static_cast<size_t>(channels) * static_cast<size_t>(x.channels), 0.0F);
  const auto columns = static_cast<size_t>(x.channels),
             before = (static_cast<size_t>(channels) - columns) / 2;
  for (size_t c = 0; c < columns; ++c) n.weight[(before + c) * columns + c] = 1;
  return g.push(std::move(n));
}

Value resnet20(Net& net, Value image) {
  Value x = net.relu(net.conv("conv1", "bn1", image));
  for (size_t group = 0; group < 3; ++group)
    for (int i = 0; i < 3; ++i) {
      const std::string name = block_name(group, i);
      const int stride = group > 0 && i == 0 ? 2 : 1;
      const Value first = net.relu(net.conv(name + ".conv1", name + ".bn1", x, stride));
      const Value second = net.conv(name + ".conv2", name + ".bn2", first);
      const Value skip = stride == 1 ? x : shortcut_a(net.graph(), x, second.channels);
      x = net.relu(net.graph().add(second, skip));
    }
  return net.graph().means(x);
}

Value efficientnet_lite0(Net& net, Value image) {
  constexpr std::pair<int, int> kStages[] = {{1, 1}, {2, 2}, {2, 2}, {3, 2}, {3, 1}, {4, 2}, {1, 1}};
  Value x = net.relu6(net.conv("_conv_stem", "_bn0", image, 2));
  int block = 0;
  for (const auto& [repeats, first_stride] : kStages)
    for (int i = 0; i < repeats; ++i) {
      const std::string name = "_blocks." + std::to_string(block++) + ".";
      const int stride = i == 0 ? first_stride : 1;
      const Value from = x;
      if (net.has(name + "_expand_conv")) x = net.relu6(net.conv(name + "_expand_conv", name + "_bn0", x));
      x = net.relu6(net.conv(name + "_depthwise_conv", name + "_bn1", x, stride));
      x = net.conv(name + "_project_conv", name + "_bn2", x);
      if (stride == 1 && x.channels == from.channels) x = net.graph().add(x, from);
    }
  return net.graph().means(net.relu6(net.conv("_conv_head", "_bn1", x)));
}

struct Entry {
  const char* name;
  double eps;
  Graph::Padding padding;
  Layers layers;
};

const std::vector<Entry>& entries() {
  using enum Graph::Padding;
  static const std::vector<Entry> all{
      {"mlp400", kRmEps, kHalf, mlp},
      {"resnet18", kRmEps, kHalf, ReversedResNet{{2, 2, 2, 2}, false}},
      {"resnet20", kPlainEps, kHalf, resnet20},
      {"resnet32", kRmEps, kHalf, ReversedResNet{{5, 5, 5}, false}},
      {"resnet34", kRmEps, kHalf, ReversedResNet{{3, 4, 6, 3}, true}},
      {"efficientnet_lite0", kLiteEps, kSame, efficientnet_lite0},
  };
  return all;
}

}  // namespace

std::vector<std::string> classifier_names() {
  std::vector<std::string> names;
  for (const Entry& e : entries()) names.emplace_back(e.name);
  return names;
}

Graph classifier(const std::string& backbone, const Weights& weights, const ImageInput& image, int side) {
  const auto& all = entries();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Entry& e) { return e.name == backbone; });
  if (found == all.end()) throw std::invalid_argument("a backbone that is not known: " + backbone);
  Net net(weights, found->eps, found->padding);
  const Value features = found->layers(net, net.graph().input("image", 3, side, side, image));
  net.graph().output("logits", net.head(features));
  net.graph().output("features", features);
  return std::move(net.graph());
}

}  // namespace perennial::edge
