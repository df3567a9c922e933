#include "edge/nets/extremec3.h"

#include <array>

namespace perennial::edge {
namespace {

constexpr double kEps = 1e-3, kInnerEps = 1e-5;
constexpr char kAverage[] = "average of 3x3", kLogits[] = "classifier.2";

// The weights, and what is not among them: an average as a convolution, and a logit of zero for the
// background.
WeightSource completed(const WeightSource& weights) {
  return [weights](const std::string& name, const std::vector<int64_t>& shape) {
    if (name == std::string(kAverage) + ".weight")
      return std::vector<float>(static_cast<size_t>(shape[0] * shape[1] * shape[2] * shape[3]), 1.0F / 9);
    if (name != std::string(kLogits) + ".weight") return weights(name, shape);
    std::vector<float> one = weights(name, {1, shape[1], shape[2], shape[3]});
    one.insert(one.begin(), one.size(), 0.0F);
    return one;
  };
}

class Builder {
 public:
  explicit Builder(Graph& graph) : g(graph) {}

  Value norm_prelu(const std::string& name, Value x) {
    return g.prelu(name + ".act", g.norm(name + ".bn", x, kEps));
  }
  Value halved(Value image) { return g.conv(kAverage, image, {image.channels, 3, 3, 2, image.channels}); }

  // A column and a row gather what the dilated kernel would miss between its taps (section 3.1).
  Value c3_block(const std::string& name, Value x, int out, int dilation) {
    const int n = x.channels, reach = 2 * dilation - 1;
    int at = 0;
    const auto next = [&] { return name + ".conv." + std::to_string(at++); };
    const auto conv_norm = [&](int height, int width) {
      x = g.conv(next(), x, {n, height, width, 1, n});
      x = g.norm(next(), x, kInnerEps);
    };
    if (dilation > 1) {
      conv_norm(reach, 1);
      x = g.prelu(next(), x);
      conv_norm(1, reach);
    }
    x = g.conv(next(), x, {n, 3, 3, 1, n, false, Graph::Padding::kHalf, dilation});
    return g.conv(next(), x, {out});
  }

  Value c3_module(const std::string& name, const std::string& norm, Value x,
                  std::array<int, 2> reduced_and_out, std::array<int, 3> dilations, int stride = 1) {
    const auto [reduced, out] = reduced_and_out;
    const int kernel = stride == 1 ? 1 : 3;
    const Value y = g.conv(name + ".c1.conv", x, {reduced, kernel, kernel, stride});
    std::vector<Value> parts;
    for (size_t i = 0; i < dilations.size(); ++i)
      parts.push_back(c3_block(name + ".d" + std::to_string(i + 1), y, i == 0 ? out - 2 * (out / 3) : out / 3,
                               dilations[i]));
    Value joined = g.concat(parts);
    if (stride == 1 && x.channels == out) joined = g.add(joined, x);
    return norm_prelu(norm, joined);
  }

  Graph& g;
};

}  // namespace

Graph extremec3_portrait(const WeightSource& weights, const ImageInput& pixels, int side) {
  Graph g(completed(weights));
  Builder b(g);
  const std::string e = "encoder.";
  const auto module = [&](const std::string& name, Value x, std::array<int, 2> sizes,
                          std::array<int, 3> dilations) {
    return b.c3_module(name, name + ".bn", x, sizes, dilations);
  };
  const Value image = g.input("image", 3, side, side, pixels);
  const Value half = b.halved(image), quarter = b.halved(half);
  const Value stem = b.norm_prelu(e + "level1", g.conv(e + "level1.conv", image, {24, 3, 3, 2}));
  const Value down = b.c3_module(e + "level2_0", e + "level2_0",
                                 b.norm_prelu(e + "b1", g.concat({stem, half})), {16, 48}, {1, 2, 3}, 2);
  const Value two = module(e + "level2.0", down, {16, 48}, {1, 3, 4});
  const Value first =
      module(e + "level3_0", b.norm_prelu(e + "b2", g.concat({two, down, quarter})), {18, 56}, {1, 3, 5});
  Value y = first;
  for (int i = 0; i < 5; ++i) y = module(e + "level3." + std::to_string(i), y, {18, 56}, {2, 4, 8});
  const Value coarse =
      g.norm("upsample.1", g.conv("upsample.0", b.norm_prelu(e + "b3", g.concat({first, y})), {24}), kEps);
  const Value fine = module("Fine.1", g.conv("Fine.0.conv", image, {24, 3, 3, 2}), {8, 24}, {2, 4, 8});
  const Value joined = b.norm_prelu("classifier.0", g.add(g.resize(coarse, 2, true), fine));
  g.output("logits", g.resize(g.conv(kLogits, joined, {2}), 2, true));
  return g;
}

}  // namespace perennial::edge
