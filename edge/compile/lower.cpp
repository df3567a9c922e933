#include "edge/compile/lower.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "edge/compile/fold.h"
#include "edge/kernels/kernels.h"

namespace perennial::edge {
namespace {

constexpr float kLeastWeight = 1e-12F;

class Lowerer {
 public:
  explicit Lowerer(const Graph& g) : g_(g), readers_(readers(g)), tensor_of_(g.nodes().size(), -1) {}

  Program run() {
    p_.names.push_back('\0');
    place_concats();
    for (const auto& [node, image] : g_.images()) port(at(node).name, tensor(node), false, image);
    done_.resize(g_.nodes().size(), false);
    for (const auto& [name, v] : g_.outputs()) {
      settle(v.node);
      port(name, value(v), true, std::nullopt);
    }
    return std::move(p_);
  }

 private:
  const Node& at(int i) const { return g_.nodes()[static_cast<size_t>(i)]; }
  bool alone(const Value& v) const {
    return readers_[static_cast<size_t>(v.node)] == 1 && v.begin == 0 && v.channels == at(v.node).channels;
  }
  uint64_t name(const std::string& text) {
    p_.names += text + '\0';
    return p_.names.size() - text.size() - 1;
  }
  uint64_t weights(const std::vector<float>& values) {
    if (values.empty()) return kNoWeight;
    auto& own = p_.weights.emplace_back();
    for (const float v : values) own.push_back(std::abs(v) < kLeastWeight ? 0.0F : v);
    return p_.weights.size() - 1;
  }
  uint64_t unless_all(const std::vector<float>& values, float common) {
    return std::all_of(values.begin(), values.end(), [&](float v) { return v == common; }) ? kNoWeight
                                                                                           : weights(values);
  }

  void port(const std::string& text, int tensor, bool is_output, const std::optional<ImageInput>& image) {
    PortRecord r{};
    r.tensor = static_cast<uint32_t>(tensor);
    r.is_output = is_output ? 1 : 0;
    r.name = name(text);
    if (image) {
      std::copy(image->mean, image->mean + 3, r.mean);
      std::copy(image->std, image->std + 3, r.std);
      r.divisor = image->divisor;
      r.flags = (image->bgr ? kBlueFirst : 0U) | (image->rounded ? kRounded : 0U) |
                (image->centre ? kCentre : 0U) | (image->grey ? kGrey : 0U);
    }
    if (const auto labels = g_.labels().find(text); is_output && labels != g_.labels().end()) {
      r.flags = kClassScores | kLabelled;
      for (const std::string& label : labels->second) name(label);
    }
    p_.ports.push_back(r);
  }

  // A part that only one concatenation wants is written right into it.
  void place_concats() {
    for (size_t i = 0; i < g_.nodes().size(); ++i) {
      const Node& n = g_.nodes()[i];
      if (n.kind != NodeKind::kConcat || readers_[i] == 0) continue;
      const int joined = add_tensor(n);
      tensor_of_[i] = joined;
      int begin = 0;
      for (const Value& part : n.inputs) {
        const NodeKind kind = at(part.node).kind;
        const bool fits = part.begin == 0 && part.channels == at(part.node).channels &&
                          tensor_of_[static_cast<size_t>(part.node)] < 0;
        const bool written =
            kind != NodeKind::kConcat && kind != NodeKind::kInput && kind != NodeKind::kFlatten;
        if (fits && written)
          tensor_of_[static_cast<size_t>(part.node)] = add_part(joined, begin, part.channels);
        begin += part.channels;
      }
    }
  }

  int add_tensor(const Node& n) {
    p_.tensors.push_back({n.channels, n.height, n.width});
    return static_cast<int>(p_.tensors.size()) - 1;
  }
  int add_part(int inside, int first, int channels) {
    const Program::Tensor whole = p_.tensors[static_cast<size_t>(inside)];
    p_.tensors.push_back({channels, whole.height, whole.width, inside, first});
    return static_cast<int>(p_.tensors.size()) - 1;
  }
  int tensor(int node) {
    int& t = tensor_of_[static_cast<size_t>(node)];
    if (t < 0) t = add_tensor(at(node));
    return t;
  }

  // Emits all that a node needs and the node itself, depth first. The stack is a vector: networks may be
  // thousands of nodes deep.
  void settle(int root) {
    struct Open {
      int node;
      std::vector<int> needs;
      size_t next = 0;
    };
    std::vector<Open> open;
    const auto enter = [&](int i) {
      if (done_[static_cast<size_t>(i)]) return;
      if (at(i).kind != NodeKind::kFlatten) tensor(i);
      open.push_back({i, {}});
      needs(at(i), open.back().needs);
    };
    enter(root);
    while (!open.empty()) {
      Open& last = open.back();
      if (last.next < last.needs.size()) {
        enter(last.needs[last.next++]);
        continue;
      }
      emit(last.node);
      done_[static_cast<size_t>(last.node)] = true;
      open.pop_back();
    }
  }

  // The nodes whose values emit() asks for, skips first.
  void needs(const Node& n, std::vector<int>& all) const {
    std::vector<Value> inputs = n.inputs;
    if (n.kind != NodeKind::kConcat) std::reverse(inputs.begin(), inputs.end());
    for (const Value& v : inputs) {
      if (takes_in(n, v))
        needs(at(v.node), all);
      else
        all.push_back(v.node);
    }
  }
  // Whether the operation of a node does that of an input too.
  bool takes_in(const Node& n, const Value& v) const {
    if (v.node != n.inputs[0].node) return false;
    if (n.kind == NodeKind::kConv) return takes_scale(n);
    Value last;
    return (n.kind == NodeKind::kPrelu || n.kind == NodeKind::kClamp || n.kind == NodeKind::kAdd) &&
           into(&n, last) != nullptr;
  }

  // The tensor that holds a value.
  int value(const Value& v) {
    if (!done_[static_cast<size_t>(v.node)])
      throw std::logic_error(at(v.node).name + ": read before it is there");
    const int whole = tensor(v.node);
    if (v.begin == 0 && v.channels == at(v.node).channels) return whole;
    return add_part(whole, v.begin, v.channels);
  }

  void emit(int i) {
    const Node& n = at(i);
    if (n.kind == NodeKind::kInput) return;
    if (n.kind == NodeKind::kConcat) return join(i);
    if (n.kind == NodeKind::kFlatten) return flatten(i);
    Program::Op op = blank(n);
    op.output = static_cast<uint32_t>(tensor(i));
    const Node* base = &n;
    Value last;
    if (base->kind == NodeKind::kPrelu || base->kind == NodeKind::kClamp) {
      op.activation = static_cast<uint32_t>(base->kind == NodeKind::kPrelu ? Epilogue::Activation::kPrelu
                                                                           : Epilogue::Activation::kClamp);
      op.slope = weights(base->slope);
      op.low = base->low, op.high = base->high;
      base = into(base, last);
    }
    if (base != nullptr && base->kind == NodeKind::kAdd) {
      op.skip = static_cast<uint32_t>(value(base->inputs[1]));
      op.skip_scale = unless_all(base->scale, 1.0F);
      base = into(base, last);
    }
    body(base, last, op);
    p_.ops.push_back(op);
  }

  // The node before, when nobody else reads it and an operation can take in what follows; else null. `last`
  // is what it gives.
  const Node* into(const Node* n, Value& last) const {
    last = n->inputs[0];
    const Node* before = &at(last.node);
    const bool open = before->kind == NodeKind::kConv || before->kind == NodeKind::kResize ||
                      before->kind == NodeKind::kNorm || before->kind == NodeKind::kDense ||
                      (before->kind == NodeKind::kAdd && n->kind != NodeKind::kAdd);  // one skip fits
    return open && alone(last) ? before : nullptr;
  }

  Program::Op blank(const Node& n) {
    Program::Op op{};
    op.second = op.skip = op.input_scale = kNoTensor;
    op.kernel_h = op.kernel_w = op.stride = op.groups = 1;
    op.weight = op.bias = op.slope = op.skip_scale = op.weight_step = kNoWeight;
    op.name = name(n.name);
    return op;
  }

  void body(const Node* n, const Value& last, Program::Op& op) {
    if (n == nullptr) return affine(last, op);
    switch (n->kind) {
      case NodeKind::kConv: return conv(*n, op);
      case NodeKind::kNorm:
        affine(n->inputs[0], op);
        op.weight = unless_all(n->scale, 1.0F), op.bias = unless_all(n->shift, 0.0F);
        return;
      case NodeKind::kResize:
        op.kind = OpKind::kResize, op.flags = n->align_corners ? uint32_t{kAlignCorners} : 0;
        break;
      case NodeKind::kPool:
        op.kind = OpKind::kAveragePool,
        op.kernel_h = op.kernel_w = op.stride = static_cast<uint32_t>(n->factor);
        break;
      case NodeKind::kMaxPool:
        op.kind = OpKind::kMaxPool;
        window(*n, op);
        break;
      case NodeKind::kMeans: op.kind = OpKind::kPlaneMeans; break;
      case NodeKind::kDense:
        op.kind = OpKind::kDense;
        op.weight = weights(n->weight), op.bias = unless_all(n->bias, 0.0F);
        op.known_steps = n->weight_step, op.input_range = at(n->inputs[0].node).range;
        break;
      case NodeKind::kGate:
        op.kind = OpKind::kGate, op.second = static_cast<uint32_t>(value(n->inputs[1]));
        break;
      case NodeKind::kShuffle:
        refuse(*n, "a shuffle right behind a 1x1 convolution of as many groups that nothing else reads");
      case NodeKind::kScale: refuse(*n, "a 1x1 convolution, and nothing else, to read what is scaled");
      default: throw std::logic_error(n->name + ": a node that no operation does");
    }
    op.input = static_cast<uint32_t>(value(n->inputs[0]));
  }

  [[noreturn]] static void refuse(const Node& n, const char* expected) {
    throw std::invalid_argument((n.where.empty() ? n.name : n.where) + ": expected " + expected);
  }

  void affine(const Value& v, Program::Op& op) {
    op.kind = OpKind::kAffine;
    op.input = static_cast<uint32_t>(value(v));
  }

  static bool is_pointwise(const Node& n) { return n.kernel_h == 1 && n.kernel_w == 1 && n.stride == 1; }
  bool takes_scale(const Node& conv) const {
    const Value& in = conv.inputs[0];
    return is_pointwise(conv) && at(in.node).kind == NodeKind::kScale && alone(in);
  }

  static void window(const Node& n, Program::Op& op) {
    op.kernel_h = static_cast<uint32_t>(n.kernel_h), op.kernel_w = static_cast<uint32_t>(n.kernel_w);
    op.pad_h = static_cast<uint32_t>(n.pad_h), op.pad_w = static_cast<uint32_t>(n.pad_w);
    op.dilation = static_cast<uint32_t>(n.dilation);
    op.stride = static_cast<uint32_t>(n.stride), op.groups = static_cast<uint32_t>(n.groups);
  }

  void conv(const Node& n, Program::Op& op) {
    op.weight = weights(n.weight), op.bias = unless_all(n.bias, 0.0F);
    window(n, op);
    Value in = n.inputs[0];
    op.known_steps = n.weight_step, op.input_range = at(in.node).range;
    if (is_pointwise(n)) {
      // Of one pixel it is a dense layer.
      op.kind = n.groups == 1 && n.height * n.width == 1 && at(in.node).kind != NodeKind::kScale
                    ? OpKind::kDense
                    : OpKind::kPointwise;
      op.flags = n.interleave ? uint32_t{kInterleaveGroups} : 0;
      if (takes_scale(n)) {
        const Node& before = at(in.node);
        op.input_scale = static_cast<uint32_t>(value(before.inputs[1]));
        in = before.inputs[0];
      }
    } else if (n.groups == n.channels && n.groups == in.channels) {
      op.kind = OpKind::kDepthwise;
    } else {
      op.kind = OpKind::kConvolution;
    }
    op.input = static_cast<uint32_t>(value(in));
  }

  // Planes lie one behind the other: the same memory as another tensor.
  void flatten(int i) {
    const int from = value(at(i).inputs[0]);
    p_.tensors.push_back({at(i).channels, 1, 1, from, 0});
    tensor_of_[static_cast<size_t>(i)] = static_cast<int>(p_.tensors.size()) - 1;
  }

  // Parts that could not be written in place are copied.
  void join(int i) {
    const int joined = tensor(i);
    int begin = 0;
    for (const Value& part : at(i).inputs) {
      const int from = value(part);
      const Program::Tensor& t = p_.tensors[static_cast<size_t>(from)];
      if (t.inside != joined || t.first != begin) {
        Program::Op op = blank(at(i));
        op.kind = OpKind::kAffine;
        op.input = static_cast<uint32_t>(from);
        op.output = static_cast<uint32_t>(add_part(joined, begin, part.channels));
        p_.ops.push_back(op);
      }
      begin += part.channels;
    }
  }

  const Graph& g_;
  std::vector<int> readers_, tensor_of_;
  std::vector<bool> done_;
  Program p_;
};

}  // namespace

Program lower(const Graph& graph) { return Lowerer(graph).run(); }

}  // namespace perennial::edge
