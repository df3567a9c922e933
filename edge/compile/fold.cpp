#include "edge/compile/fold.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace perennial::edge {
namespace {

using Floats = std::vector<float>;

Floats part(const Floats& all, int begin, int channels) {
  if (all.empty()) return {};
  return {all.begin() + begin, all.begin() + begin + channels};
}

bool whole(const Graph& g, const Value& v) { return v.begin == 0 && v.channels == g.node(v).channels; }

bool by_channel(NodeKind kind) {
  return kind == NodeKind::kNorm || kind == NodeKind::kPrelu || kind == NodeKind::kClamp ||
         kind == NodeKind::kAdd;
}

class Folder {
 public:
  explicit Folder(Graph& graph) : g_(graph) {}

  void run() {
    while (any(&Folder::over_concat) || any(&Folder::norm_over_add)) {
    }
    norms_into_convs();
    any(&Folder::shuffle_into_conv);
    while (any(&Folder::flatten_concat)) {
    }
  }

  void run_norms() {
    while (any(&Folder::norm_over_concat)) {
    }
    norms_into_convs();
  }

 private:
  bool any(bool (Folder::*step)(int)) {
    bool ever = false, changed = true;
    for (int i = 0; i < static_cast<int>(g_.nodes().size()); ++i) {
      if (changed) readers_ = readers(g_);
      changed = readers_[static_cast<size_t>(i)] > 0 && (this->*step)(i);
      ever |= changed;
    }
    return ever;
  }
  void norms_into_convs() {
    while (any(&Folder::into_conv) || any(&Folder::through_resize)) {
    }
  }
  Node& at(int i) { return g_.nodes()[static_cast<size_t>(i)]; }
  bool alone(const Value& v) const { return readers_[static_cast<size_t>(v.node)] == 1 && whole(g_, v); }

  // f(concat(a, b)) = concat(f(a), f(b)); node i becomes the concatenation.
  bool over_concat(int i) {
    const Node node = at(i);
    if (!by_channel(node.kind) || at(node.inputs[0].node).kind != NodeKind::kConcat || !alone(node.inputs[0]))
      return false;
    const std::vector<Value> parts = at(node.inputs[0].node).inputs;
    std::vector<Value> done;
    int begin = 0;
    for (const Value& p : parts) {
      Node own = node;
      own.name += "." + std::to_string(done.size());
      own.channels = p.channels;
      own.inputs[0] = p;
      if (own.inputs.size() > 1)
        own.inputs[1] = {node.inputs[1].node, node.inputs[1].begin + begin, p.channels};
      own.scale = part(node.scale, begin, p.channels);
      own.shift = part(node.shift, begin, p.channels);
      own.slope = part(node.slope, begin, p.channels);
      begin += p.channels;
      done.push_back(g_.push(std::move(own)));
    }
    Node joined;
    joined.kind = NodeKind::kConcat, joined.name = node.name, joined.inputs = done;
    joined.channels = node.channels, joined.height = node.height, joined.width = node.width;
    joined.range = node.range;
    at(i) = std::move(joined);
    return true;
  }

  bool norm_over_concat(int i) { return at(i).kind == NodeKind::kNorm && over_concat(i); }

  // norm(a + s * b) = norm(a) + (scale * s) * b; node i becomes the sum.
  bool norm_over_add(int i) {
    const Node node = at(i);
    if (node.kind != NodeKind::kNorm || at(node.inputs[0].node).kind != NodeKind::kAdd ||
        !alone(node.inputs[0]))
      return false;
    Node sum = at(node.inputs[0].node);
    Node norm = node;
    norm.inputs = {sum.inputs[0]};
    norm.range = {};
    sum.inputs[0] = g_.push(norm);
    for (size_t c = 0; c < sum.scale.size(); ++c) sum.scale[c] *= node.scale[c];
    sum.name = node.name;
    sum.range = node.range;
    at(i) = std::move(sum);
    return true;
  }

  static void scale_rows(Node& conv, const Node& norm) {
    const size_t row = conv.weight.size() / norm.scale.size();
    for (size_t o = 0; o < norm.scale.size(); ++o) {
      for (size_t k = 0; k < row; ++k) conv.weight[o * row + k] *= norm.scale[o];
      conv.bias[o] = conv.bias[o] * norm.scale[o] + norm.shift[o];
      if (!conv.weight_step.empty()) conv.weight_step[o] *= std::abs(norm.scale[o]);
    }
  }

  // Node i, the normalisation, becomes the convolution or dense layer.
  bool into_conv(int i) {
    const Node node = at(i);
    if (node.kind != NodeKind::kNorm || !alone(node.inputs[0])) return false;
    Node conv = at(node.inputs[0].node);
    if (conv.kind != NodeKind::kConv && conv.kind != NodeKind::kDense) return false;
    scale_rows(conv, node);
    conv.range = node.range;
    at(i) = std::move(conv);
    return true;
  }

  // norm(resize(x)) = resize(norm(x)); node i becomes the resize.
  bool through_resize(int i) {
    const Node node = at(i);
    if (node.kind != NodeKind::kNorm || !alone(node.inputs[0])) return false;
    Node resize = at(node.inputs[0].node);
    if (resize.kind != NodeKind::kResize) return false;
    Node norm = node;
    norm.inputs = resize.inputs;
    norm.range = {};
    norm.height = g_.node(resize.inputs[0]).height, norm.width = g_.node(resize.inputs[0]).width;
    resize.inputs[0] = g_.push(norm);
    resize.range = node.range;
    at(i) = std::move(resize);
    return true;
  }

  // concat(a, concat(b, c)) = concat(a, b, c), so that no part is copied twice.
  bool flatten_concat(int i) {
    if (at(i).kind != NodeKind::kConcat) return false;
    std::vector<Value> parts;
    for (const Value& v : at(i).inputs) {
      const bool flat = at(v.node).kind == NodeKind::kConcat && alone(v);
      const auto& inner = at(v.node).inputs;
      if (flat)
        parts.insert(parts.end(), inner.begin(), inner.end());
      else
        parts.push_back(v);
    }
    const bool changed = parts.size() > at(i).inputs.size();
    at(i).inputs = std::move(parts);
    return changed;
  }

  bool shuffle_into_conv(int i) {
    const Node node = at(i);
    if (node.kind != NodeKind::kShuffle || !alone(node.inputs[0])) return false;
    Node conv = at(node.inputs[0].node);
    if (conv.kind != NodeKind::kConv || conv.groups != node.groups || conv.kernel_h * conv.kernel_w != 1)
      return false;
    conv.interleave = true;
    conv.range = node.range;
    Floats bias(conv.bias.size());
    const size_t rows = bias.size() / static_cast<size_t>(conv.groups);
    for (size_t o = 0; o < bias.size(); ++o)
      bias[o % rows * static_cast<size_t>(conv.groups) + o / rows] = conv.bias[o];
    conv.bias = bias;
    at(i) = std::move(conv);
    return true;
  }

  Graph& g_;
  std::vector<int> readers_;
};

}  // namespace

std::vector<int> readers(const Graph& graph) {
  std::vector<int> count(graph.nodes().size(), 0);
  std::vector<int> reached;
  const auto read = [&](const Value& v) {
    if (count[static_cast<size_t>(v.node)]++ == 0) reached.push_back(v.node);
  };
  for (const auto& [_, v] : graph.outputs()) read(v);
  for (size_t i = 0; i < reached.size(); ++i)
    for (const Value& v : graph.node({reached[i]}).inputs) read(v);
  return count;
}

std::vector<int> order(const Graph& graph) {
  std::vector<int> all;
  std::vector<bool> begun(graph.nodes().size(), false);
  std::vector<std::pair<int, size_t>> open;  // nodes, and how many of their inputs are done
  const auto enter = [&](const Value& v) {
    if (begun[static_cast<size_t>(v.node)]) return;
    begun[static_cast<size_t>(v.node)] = true;
    open.emplace_back(v.node, 0);
  };
  for (const auto& [_, output] : graph.outputs()) {
    enter(output);
    while (!open.empty()) {
      auto& [node, done] = open.back();
      const auto& inputs = graph.node({node}).inputs;
      if (done < inputs.size()) {
        enter(inputs[done++]);
        continue;
      }
      all.push_back(node);
      open.pop_back();
    }
  }
  return all;
}

void fold(Graph& graph) { Folder(graph).run(); }
void fold_norms(Graph& graph) { Folder(graph).run_norms(); }

}  // namespace perennial::edge
