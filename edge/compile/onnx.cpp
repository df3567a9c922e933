// ONNX is protobuf, and a writer of it needs two of its wire types: less than the library would bring along.
#include "edge/compile/onnx.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <stdexcept>

#include "edge/compile/fold.h"

namespace perennial::edge {
namespace {

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

/// A protobuf message in the making.
class Message {
 public:
  Message& number(int field, uint64_t value) {
    varint(static_cast<uint64_t>(field) << 3);
    varint(value);
    return *this;
  }
  Message& text(int field, std::string_view bytes) {
    varint(static_cast<uint64_t>(field) << 3 | 2);
    varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  Message& real(int field, float value) {
    varint(static_cast<uint64_t>(field) << 3 | 5);
    char raw[4];
    std::memcpy(raw, &value, 4);
    bytes_.append(raw, 4);
    return *this;
  }
  Message& message(int field, const Message& m) { return text(field, m.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t v) {
    for (; v > 127; v >>= 7) bytes_ += static_cast<char>(v | 128);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

constexpr int kFloat = 1, kInt64 = 7;  // TensorProto.DataType

Message attribute(const std::string& name, int64_t value) {
  return Message().text(1, name).number(3, static_cast<uint64_t>(value)).number(20, 2);
}
Message attribute(const std::string& name, float value) {
  return Message().text(1, name).real(2, value).number(20, 1);
}
Message attribute(const std::string& name, const std::string& value) {
  return Message().text(1, name).text(4, value).number(20, 3);
}
using Ints = std::vector<int64_t>;
Message attribute(const std::string& name, const Ints& values) {
  Message m;
  m.text(1, name);
  for (const int64_t v : values) m.number(8, static_cast<uint64_t>(v));
  return m.number(20, 7);
}

class Writer {
 public:
  explicit Writer(const Graph& graph) : g_(graph) {
    const auto longer_than = [this](const std::string& port) {
      inner_prefix_.resize(
          std::max(inner_prefix_.size(), std::min(port.find_first_not_of('_'), port.size()) + 1), '_');
    };
    for (const auto& [port, _] : g_.outputs()) longer_than(port);
    for (const auto& [node, _] : g_.images()) longer_than(g_.node({node}).name);
    for (const auto& [port, v] : g_.outputs())
      if (g_.node(v).kind != NodeKind::kInput && v.begin == 0 && v.channels == g_.node(v).channels)
        port_of_.emplace(v.node, port);
  }

  std::string write(const std::string& name) {
    for (const auto& [node, _] : g_.images())
      graph_.message(11, info(g_.node({node}).name, g_.node({node}), g_.node({node}).channels));
    for (const int i : order(g_)) node(i);
    for (const auto& [port, value] : g_.outputs()) {
      if (const std::string from = value_name(value); from != port) emit("Identity", {from}, port);
      graph_.message(12, info(port, g_.node(value), value.channels));
    }
    graph_.text(2, name);
    const Message opset = Message().text(1, "").number(2, 17);
    return Message().number(1, 8).text(2, "perennial").message(7, graph_).message(8, opset).bytes();
  }

 private:
  static Message info(const std::string& name, const Node& n, int channels) {
    Message shape;
    for (const int side : {1, channels, n.height, n.width})
      shape.message(1, Message().number(1, static_cast<uint64_t>(side)));
    const Message tensor = Message().number(1, kFloat).message(2, shape);
    return Message().text(1, name).message(2, Message().message(1, tensor));
  }

  void emit(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
            const std::vector<Message>& attributes = {}) {
    Message m;
    for (const std::string& input : inputs) m.text(1, input);
    m.text(2, output).text(3, output).text(4, op);
    for (const Message& a : attributes) m.message(5, a);
    graph_.message(1, m);
  }

  // What an operation between others gives.
  std::string inner(const std::string& op, const std::vector<std::string>& inputs,
                    const std::vector<Message>& attributes = {}) {
    const std::string name = inner_prefix_ + "t" + std::to_string(inner_++);
    emit(op, inputs, name, attributes);
    return name;
  }

  template <class T>
  std::string constant(const std::vector<T>& values, const std::vector<int64_t>& shape) {
    const std::string name = inner_prefix_ + "c" + std::to_string(constants_++);
    Message m;
    for (const int64_t side : shape) m.number(1, static_cast<uint64_t>(side));
    m.number(2, std::is_same_v<T, float> ? kFloat : kInt64).text(8, name);
    m.text(9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
    graph_.message(5, m);
    return name;
  }
  std::string by_channel(const std::vector<float>& values) {
    return constant(values, {static_cast<int64_t>(values.size()), 1, 1});
  }

  // That of an output which it is, the first of several.
  std::string name_of(int node) const {
    const auto port = port_of_.find(node);
    return port == port_of_.end() ? inner_prefix_ + "v" + std::to_string(node) : port->second;
  }

  std::string value_name(const Value& v) {
    const Node& n = g_.node(v);
    const std::string whole = n.kind == NodeKind::kInput ? n.name : name_of(v.node);
    if (v.begin == 0 && v.channels == n.channels) return whole;
    return inner("Slice", {whole, constant<int64_t>({v.begin}, {1}),
                           constant<int64_t>({v.begin + v.channels}, {1}), constant<int64_t>({1}, {1})});
  }

  void node(int index) {
    const Node& n = g_.nodes()[static_cast<size_t>(index)];
    if (n.kind == NodeKind::kInput) return;
    std::vector<std::string> x;
    for (const Value& v : n.inputs) x.push_back(value_name(v));
    const std::string out = name_of(index);
    const auto channels = static_cast<size_t>(n.channels);
    switch (n.kind) {
      case NodeKind::kConv: return conv(n, x[0], out);
      case NodeKind::kNorm:
        return emit("BatchNormalization",
                    {x[0], constant(n.scale, {n.channels}), constant(n.shift, {n.channels}),
                     constant(std::vector<float>(channels, 0.0F), {n.channels}),
                     constant(std::vector<float>(channels, 1.0F), {n.channels})},
                    out, {attribute("epsilon", 0.0F)});
      case NodeKind::kPrelu: return prelu(n, x[0], out);
      case NodeKind::kClamp:
        return emit("Clip", {x[0], constant<float>({n.low}, {}), constant<float>({n.high}, {})}, out);
      case NodeKind::kAdd: return emit("Add", {x[0], x[1]}, out);
      case NodeKind::kConcat: return emit("Concat", x, out, {attribute("axis", int64_t{1})});
      case NodeKind::kShuffle: return shuffle(n, x[0], out);
      case NodeKind::kPool: {
        const std::vector<int64_t> side{n.factor, n.factor};
        return emit("AveragePool", {x[0]}, out,
                    {attribute("kernel_shape", side), attribute("strides", side)});
      }
      case NodeKind::kMaxPool: return max_pool(n, x[0], out);
      case NodeKind::kFlatten:
        return emit("Reshape", {x[0], constant<int64_t>({1, n.channels, 1, 1}, {4})}, out);
      case NodeKind::kMeans: return emit("GlobalAveragePool", {x[0]}, out);
      case NodeKind::kDense:
        return emit("Conv",
                    {x[0], constant(n.weight, {n.channels, n.inputs[0].channels, 1, 1}),
                     constant(n.bias, {n.channels})},
                    out);
      case NodeKind::kScale: return emit("Mul", {x[0], x[1]}, out);
      case NodeKind::kResize: return resize(n, x[0], out);
      case NodeKind::kGate: return gate(x[0], x[1], out);
      case NodeKind::kInput: break;
    }
    throw std::logic_error("onnx: an operation without a form");
  }

  void prelu(const Node& n, const std::string& x, const std::string& out) {
    const float slope = n.slope[0];
    if (!std::all_of(n.slope.begin(), n.slope.end(), [slope](float s) { return s == slope; }))
      return emit("PRelu", {x, by_channel(n.slope)}, out);
    if (slope == 0) return emit("Relu", {x}, out);
    emit("LeakyRelu", {x}, out, {attribute("alpha", slope)});
  }

  void conv(const Node& n, const std::string& x, const std::string& out) {
    const std::string weight =
        constant(n.weight, {n.channels, n.inputs[0].channels / n.groups, n.kernel_h, n.kernel_w});
    emit(
        "Conv", {x, weight, constant(n.bias, {n.channels})}, out,
        {attribute("kernel_shape", Ints{n.kernel_h, n.kernel_w}),
         attribute("strides", Ints{n.stride, n.stride}), attribute("dilations", Ints{n.dilation, n.dilation}),
         pads(n), attribute("group", int64_t{n.groups})});
  }

  Message pads(const Node& n) const {
    const Node& from = g_.node(n.inputs[0]);
    // What the last output needs beyond the input and the zeros before it.
    const auto behind = [&n](int outputs, int kernel, int in, int before) {
      return std::max(0, (outputs - 1) * n.stride + (kernel - 1) * n.dilation + 1 - in - before);
    };
    return attribute("pads", Ints{n.pad_h, n.pad_w, behind(n.height, n.kernel_h, from.height, n.pad_h),
                                  behind(n.width, n.kernel_w, from.width, n.pad_w)});
  }

  void max_pool(const Node& n, const std::string& x, const std::string& out) {
    emit("MaxPool", {x}, out,
         {attribute("kernel_shape", Ints{n.kernel_h, n.kernel_w}),
          attribute("strides", Ints{n.stride, n.stride}), pads(n)});
  }

  void shuffle(const Node& n, const std::string& x, const std::string& out) {
    const std::vector<int64_t> apart{1, n.groups, n.channels / n.groups, n.height, n.width},
        together{1, n.channels, n.height, n.width};
    const std::string split = inner("Reshape", {x, constant(apart, {5})});
    const std::string turned = inner("Transpose", {split}, {attribute("perm", Ints{0, 2, 1, 3, 4})});
    emit("Reshape", {turned, constant(together, {4})}, out);
  }

  void resize(const Node& n, const std::string& x, const std::string& out) {
    const auto factor = static_cast<float>(n.factor);
    emit("Resize", {x, "", constant<float>({1, 1, factor, factor}, {4})}, out,
         {attribute("mode", std::string("linear")),
          attribute("coordinate_transformation_mode",
                    std::string(n.align_corners ? "align_corners" : "half_pixel"))});
  }

  // detail * (1 - max softmax(coarse)) + coarse
  void gate(const std::string& coarse, const std::string& detail, const std::string& out) {
    const std::string shares = inner("Softmax", {coarse}, {attribute("axis", int64_t{1})});
    const std::string sure =
        inner("ReduceMax", {shares}, {attribute("axes", Ints{1}), attribute("keepdims", int64_t{1})});
    const std::string open = inner("Sub", {constant<float>({1}, {}), sure});
    emit("Add", {inner("Mul", {detail, open}), coarse}, out);
  }

  const Graph& g_;
  Message graph_;
  std::map<int, std::string> port_of_;  ///< of nodes that are outputs
  std::string inner_prefix_;            ///< more underscores than any port begins with
  int inner_ = 0, constants_ = 0;
};

}  // namespace

std::string to_onnx(Graph graph, const std::string& name) {
  fold_norms(graph);
  return Writer(graph).write(name);
}

}  // namespace perennial::edge
