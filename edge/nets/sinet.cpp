#include "edge/nets/sinet.h"

namespace perennial::edge {
namespace {

constexpr double kEps = 1e-3;

struct Branch {
  int kernel, pool;
};

class Builder {
 public:
  explicit Builder(Graph& graph) : g(graph) {}

  Value conv_norm_prelu(const std::string& name, Value x, const Graph::Conv& shape) {
    return norm_prelu(name, g.conv(name + ".conv", x, shape));
  }
  Value norm_prelu(const std::string& name, Value x) {
    return g.prelu(name + ".act", g.norm(name + ".bn", x, kEps));
  }

  // Depthwise with stride 2, channels weighed by squeeze and excitation, 1x1.
  Value down(const std::string& name, Value x, int out, int divisor) {
    const Value wide = g.conv(name + ".conv.0", x, {x.channels, 3, 3, 2, x.channels});
    const std::string dense = name + ".conv.1.dense.";
    Value s = g.prelu(dense + "1", g.dense(dense + "0", g.means(wide), x.channels / divisor, true));
    if (divisor > 1) s = g.prelu(dense + "3", g.dense(dense + "2", s, x.channels, true));
    return norm_prelu(name, g.conv(name + ".conv.2", g.scale(wide, s), {out}));
  }

  // Spatial squeeze block (section 3.1).
  Value squeeze_block(const std::string& name, Value x, const Branch& b) {
    const int n = x.channels;
    Value y = b.pool > 1 ? g.pool(x, b.pool) : x;
    y = g.norm(name + ".conv.1", g.conv(name + ".conv.0", y, {n, b.kernel, b.kernel, 1, n}), kEps);
    y = g.conv(name + ".act_conv1x1.1", g.prelu(name + ".act_conv1x1.0", y), {n});
    if (b.pool > 1) y = g.resize(y, b.pool, true);
    return g.norm(name + ".bn", y, kEps);
  }

  Value squeeze_module(const std::string& name, Value x, int out, const Branch& first, const Branch& second) {
    const Value mixed = g.shuffle(g.conv(name + ".c1.conv", x, {out / 2, 1, 1, 1, 2}), 2);
    Value y =
        g.concat({squeeze_block(name + ".d1", mixed, first), squeeze_block(name + ".d2", mixed, second)});
    if (x.channels == out) y = g.add(y, x);
    return norm_prelu(name + ".BR", y);
  }

  Graph& g;
};

}  // namespace

Graph sinet_portrait(const WeightSource& weights, const ImageInput& image, int side) {
  Graph g(weights);
  Builder b(g);
  const std::string e = "encoder.";
  const Value stem = b.conv_norm_prelu(e + "level1", g.input("image", 3, side, side, image), {12, 3, 3, 2});
  const Value f2a = b.down(e + "level2_0", stem, 16, 1);
  Value f2 = b.squeeze_module(e + "level2.0", f2a, 48, {3, 1}, {5, 1});
  f2 = b.squeeze_module(e + "level2.1", f2, 48, {3, 1}, {3, 1});
  const Value f3a = b.down(e + "level3_0", b.norm_prelu(e + "BR2", g.concat({f2a, f2})), 48, 2);
  Value f3 = b.squeeze_module(e + "level3.0", f3a, 96, {3, 1}, {5, 1});
  const Branch rest[7][2] = {{{3, 1}, {3, 1}}, {{5, 1}, {3, 2}}, {{5, 2}, {3, 4}}, {{3, 1}, {3, 1}},
                             {{5, 1}, {5, 1}}, {{3, 2}, {3, 4}}, {{3, 1}, {5, 2}}};
  for (int i = 0; i < 7; ++i)
    f3 = b.squeeze_module(e + "level3." + std::to_string(i + 1), f3, 96, rest[i][0], rest[i][1]);
  const Value coarse = g.conv(e + "classifier.conv", b.norm_prelu(e + "BR3", g.concat({f3a, f3})), {2});
  const Value d1 = g.norm("bn_3", g.resize(coarse, 2, true), kEps);
  const Value detail = b.conv_norm_prelu("level2_C", f2, {2});
  const Value d2 = g.norm("bn_2", g.resize(g.gate(d1, detail), 2, true), kEps);
  g.output("logits", g.conv("classifier.1", g.resize(d2, 2, true), {2, 3, 3}));
  return g;
}

}  // namespace perennial::edge
