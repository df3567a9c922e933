#include "edge/compile/graph.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace perennial::edge {
namespace {

constexpr int kMostChannels = 1 << 16, kMostSide = 1 << 13, kMostReach = 128;
constexpr size_t kMostNodes = 1 << 13, kMostParameters = size_t{1} << 28;

std::string text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (const int64_t side : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(side);
  return out + "]";
}

void require(bool good, const std::string& what) {
  if (!good) throw std::invalid_argument(what);
}

struct Side {
  int before, out;
};

Side convolved(int in, int kernel, int stride, Graph::Padding padding) {
  if (padding == Graph::Padding::kHalf) return {kernel / 2, (in + kernel / 2 * 2 - kernel) / stride + 1};
  const int out = (in + stride - 1) / stride;
  return {std::max(0, (out - 1) * stride + kernel - in) / 2, out};
}

}  // namespace

WeightSource source_of(const Weights& weights) {
  return [&weights](const std::string& name, const std::vector<int64_t>& shape) {
    const auto found = weights.find(name);
    require(found != weights.end(), name + ": expected a tensor " + text(shape) + ", found none");
    require(found->second.shape == shape,
            name + ": expected " + text(shape) + ", found " + text(found->second.shape));
    size_t count = 1;
    for (const int64_t side : shape) count *= static_cast<size_t>(side);
    require(found->second.values.size() == count, name + ": expected " + std::to_string(count) +
                                                      " values, found " +
                                                      std::to_string(found->second.values.size()));
    require(!found->second.integers, name + ": expected floating point, found integers");
    require(std::all_of(found->second.values.begin(), found->second.values.end(),
                        [](float v) { return std::isfinite(v); }),
            name + ": expected finite numbers, found NaN or infinity among them");
    return found->second.values;
  };
}

Node Graph::like(NodeKind kind, Value x) const {
  Node n;
  n.kind = kind;
  n.inputs = {x};
  n.channels = x.channels;
  n.height = node(x).height;
  n.width = node(x).width;
  return n;
}

Value Graph::push(Node node) {
  require(nodes_.size() < kMostNodes, "a network of more than " + std::to_string(kMostNodes) + " nodes");
  require(node.channels >= 1 && node.channels <= kMostChannels && node.height >= 1 && node.width >= 1 &&
              node.height <= kMostSide && node.width <= kMostSide,
          node.name + ": planes of a size that no network has: " + std::to_string(node.channels) + " of " +
              std::to_string(node.height) + " x " + std::to_string(node.width));
  for (const auto* values : {&node.weight, &node.bias, &node.slope, &node.scale, &node.shift})
    parameters_ += values->size();
  require(parameters_ <= kMostParameters,
          "a network of more than " + std::to_string(kMostParameters) + " parameters");
  if (node.name.empty()) node.name = std::to_string(nodes_.size());
  nodes_.push_back(std::move(node));
  return {static_cast<int>(nodes_.size()) - 1, 0, nodes_.back().channels};
}

Value Graph::input(const std::string& name, int channels, int height, int width, const ImageInput& image) {
  Node n;
  n.kind = NodeKind::kInput, n.name = name;
  n.channels = channels, n.height = height, n.width = width;
  const Value v = push(std::move(n));
  images_[v.node] = image;
  return v;
}

Value Graph::conv(const std::string& name, Value x, const Conv& c) {
  require(c.groups >= 1 && x.channels % c.groups == 0 && c.out % c.groups == 0,
          name + ": groups do not divide the channels");
  require(c.groups == 1 || (c.groups == x.channels && c.groups == c.out) ||
              (c.kernel_h * c.kernel_w == 1 && c.stride == 1),
          name + ": expected a convolution that is 1x1 with stride 1, depthwise or of one group");
  Node n = like(NodeKind::kConv, x);
  n.name = name;
  n.weight = take_(name + ".weight", {c.out, x.channels / c.groups, c.kernel_h, c.kernel_w});
  n.bias = c.bias ? take_(name + ".bias", {c.out}) : std::vector<float>(static_cast<size_t>(c.out), 0.0F);
  n.kernel_h = c.kernel_h, n.kernel_w = c.kernel_w, n.stride = c.stride, n.groups = c.groups;
  n.channels = c.out;
  n.dilation = c.kernel_h * c.kernel_w > 1 ? c.dilation : 1;
  const auto reach = [&c](int kernel) { return (kernel - 1) * c.dilation + 1; };
  require(c.dilation >= 1 && std::max(reach(c.kernel_h), reach(c.kernel_w)) <= kMostReach,
          name + ": a kernel that reaches over more than " + std::to_string(kMostReach));
  const Side down = convolved(n.height, reach(c.kernel_h), c.stride, c.padding),
             across = convolved(n.width, reach(c.kernel_w), c.stride, c.padding);
  n.pad_h = down.before, n.height = down.out;
  n.pad_w = across.before, n.width = across.out;
  return push(std::move(n));
}

Value Graph::norm(const std::string& name, Value x, double eps) {
  Node n = like(NodeKind::kNorm, x);
  n.name = name;
  const auto weight = take_(name + ".weight", {x.channels}), bias = take_(name + ".bias", {x.channels}),
             mean = take_(name + ".running_mean", {x.channels}),
             variance = take_(name + ".running_var", {x.channels});
  for (size_t c = 0; c < weight.size(); ++c) {
    require(variance[c] + eps > 0,
            name + ".running_var: expected variances above 0, found " + std::to_string(variance[c]));
    const double scale = weight[c] / std::sqrt(variance[c] + eps);
    n.scale.push_back(static_cast<float>(scale));
    n.shift.push_back(static_cast<float>(bias[c] - mean[c] * scale));
  }
  return push(std::move(n));
}

Value Graph::prelu(const std::string& name, Value x) {
  Node n = like(NodeKind::kPrelu, x);
  n.name = name;
  n.slope = take_(name + ".weight", {x.channels});
  return push(std::move(n));
}

Value Graph::leaky(Value x, float slope) {
  Node n = like(NodeKind::kPrelu, x);
  n.slope.assign(static_cast<size_t>(x.channels), slope);
  return push(std::move(n));
}

Value Graph::clamp(Value x, float low, float high) {
  Node n = like(NodeKind::kClamp, x);
  n.low = low, n.high = high;
  return push(std::move(n));
}

Value Graph::add(Value a, Value b) {
  require(a.channels == b.channels && node(a).height == node(b).height && node(a).width == node(b).width,
          "add: shapes differ");
  Node n = like(NodeKind::kAdd, a);
  n.inputs.push_back(b);
  n.scale.assign(static_cast<size_t>(a.channels), 1.0F);
  return push(std::move(n));
}

Value Graph::concat(const std::vector<Value>& parts) {
  require(!parts.empty(), "concat: nothing");
  Node n = like(NodeKind::kConcat, parts.front());
  n.inputs = parts;
  n.channels = 0;
  for (const Value& part : parts) {
    require(node(part).height == n.height && node(part).width == n.width, "concat: sizes differ");
    n.channels += part.channels;
  }
  return push(std::move(n));
}

Value Graph::shuffle(Value x, int groups) {
  require(groups >= 1 && x.channels % groups == 0, "shuffle: groups do not divide the channels");
  Node n = like(NodeKind::kShuffle, x);
  n.groups = groups;
  return push(std::move(n));
}

Value Graph::pool(Value x, int factor) {
  Node n = like(NodeKind::kPool, x);
  require(n.height % factor == 0 && n.width % factor == 0, "pool: the factor does not divide the sides");
  n.factor = factor;
  n.height /= factor, n.width /= factor;
  return push(std::move(n));
}

Value Graph::max_pool(Value x, int kernel, int stride) {
  Node n = like(NodeKind::kMaxPool, x);
  require(kernel >= 1 && kernel <= kMostReach && (stride == 1 || stride == 2),
          "max_pool: expected a kernel of 1 to " + std::to_string(kMostReach) + " and a stride of 1 or 2");
  n.kernel_h = n.kernel_w = kernel, n.stride = stride;
  const Side down = convolved(n.height, kernel, stride, Padding::kHalf),
             across = convolved(n.width, kernel, stride, Padding::kHalf);
  n.pad_h = down.before, n.height = down.out;
  n.pad_w = across.before, n.width = across.out;
  return push(std::move(n));
}

Value Graph::flatten(Value x) {
  Node n = like(NodeKind::kFlatten, x);
  const int64_t count = int64_t{n.channels} * n.height * n.width;
  require(count <= kMostChannels, "flatten: expected at most " + std::to_string(kMostChannels) +
                                      " numbers, found " + std::to_string(count));
  n.channels = static_cast<int>(count), n.height = n.width = 1;
  return push(std::move(n));
}

Value Graph::means(Value x) {
  Node n = like(NodeKind::kMeans, x);
  n.height = n.width = 1;
  return push(std::move(n));
}

Value Graph::dense(const std::string& name, Value x, int out, bool bias) {
  require(node(x).height == 1 && node(x).width == 1, name + ": a dense layer reads planes of one pixel");
  Node n = like(NodeKind::kDense, x);
  n.name = name;
  n.weight = take_(name + ".weight", {out, x.channels});
  n.bias = bias ? take_(name + ".bias", {out}) : std::vector<float>(static_cast<size_t>(out), 0.0F);
  n.channels = out;
  return push(std::move(n));
}

Value Graph::scale(Value x, Value s) {
  require(s.channels == x.channels && node(s).height == 1 && node(s).width == 1,
          "scale: expected one number for each channel");
  Node n = like(NodeKind::kScale, x);
  n.inputs.push_back(s);
  return push(std::move(n));
}

Value Graph::resize(Value x, int factor, bool align_corners) {
  Node n = like(NodeKind::kResize, x);
  n.factor = factor, n.align_corners = align_corners;
  n.height *= factor, n.width *= factor;
  return push(std::move(n));
}

Value Graph::gate(Value coarse, Value detail) {
  require(coarse.channels == detail.channels && node(coarse).height == node(detail).height &&
              node(coarse).width == node(detail).width,
          "gate: shapes differ");
  Node n = like(NodeKind::kGate, coarse);
  n.inputs.push_back(detail);
  return push(std::move(n));
}

void Graph::output(const std::string& name, Value x) {
  for (const auto& [node, _] : images_)
    require(nodes_[static_cast<size_t>(node)].name != name, name + ": an output that is named like an input");
  for (const auto& [other, _] : outputs_) require(other != name, name + ": two outputs of one name");
  outputs_.emplace_back(name, x);
}

void Graph::label(const std::string& output, std::vector<std::string> labels) {
  const auto found =
      std::find_if(outputs_.begin(), outputs_.end(), [&](const auto& o) { return o.first == output; });
  require(found != outputs_.end(), output + ": labels of no output");
  const Value& x = found->second;
  require(node(x).height == 1 && node(x).width == 1, output + ": labels of planes");
  require(labels.size() == static_cast<size_t>(x.channels),
          output + ": expected " + std::to_string(x.channels) + " labels, found " +
              std::to_string(labels.size()));
  for (const std::string& label : labels)
    require(label.size() < kLongestLabel && label.find('\0') == std::string::npos,
            output + ": expected labels of less than " + std::to_string(kLongestLabel) +
                " bytes and no zero, found '" + label.substr(0, 64) + "'");
  labels_[output] = std::move(labels);
}

}  // namespace perennial::edge
