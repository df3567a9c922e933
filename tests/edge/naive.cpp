#include "tests/edge/naive.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "edge/compile/compile.h"
#include "edge/engine.h"

namespace perennial::edge::naive {
namespace {

using Planes = std::vector<double>;

class Evaluator {
 public:
  Evaluator(const Graph& g, const std::vector<float>& input, Arithmetic arithmetic)
      : g_(g), input_(input), arithmetic_(arithmetic), done_(g.nodes().size()) {}

  Planes value(const Value& v) {
    const Node& n = g_.node(v);
    Planes& all = done_[static_cast<size_t>(v.node)];
    if (all.empty()) all = compute(n);
    const auto plane = n.height * n.width;
    return {all.begin() + v.begin * plane, all.begin() + (v.begin + v.channels) * plane};
  }

 private:
  Planes compute(const Node& n) {
    if (n.kind == NodeKind::kInput) return {input_.begin(), input_.end()};
    if (n.kind == NodeKind::kConcat) {
      Planes all;
      for (const Value& v : n.inputs) {
        const Planes part = value(v);
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    }
    const Node& from = g_.node(n.inputs[0]);
    const bool depthwise =
        n.groups == n.channels && n.groups == n.inputs[0].channels && n.kernel_h * n.kernel_w > 1;
    const bool integers = arithmetic_ == Arithmetic::kIntegers &&
                          ((n.kind == NodeKind::kConv && !depthwise) || n.kind == NodeKind::kDense);
    const Planes x = integers ? rounded(value(n.inputs[0]), from.range) : value(n.inputs[0]);
    switch (n.kind) {
      case NodeKind::kConv: return conv(n, x, from, n.inputs[0].channels);
      case NodeKind::kNorm:
        return each(n, [&](int c, int p) { return x[at(n, c, p)] * n.scale[c] + n.shift[c]; });
      case NodeKind::kPrelu:
        return each(n,
                    [&](int c, int p) { return x[at(n, c, p)] * (x[at(n, c, p)] < 0 ? n.slope[c] : 1.0F); });
      case NodeKind::kClamp:
        return each(n, [&](int c, int p) { return std::clamp<double>(x[at(n, c, p)], n.low, n.high); });
      case NodeKind::kAdd: {
        const Planes y = value(n.inputs[1]);
        return each(n, [&](int c, int p) { return x[at(n, c, p)] + n.scale[c] * y[at(n, c, p)]; });
      }
      case NodeKind::kScale: {
        const Planes s = value(n.inputs[1]);
        return each(n, [&](int c, int p) { return x[at(n, c, p)] * s[static_cast<size_t>(c)]; });
      }
      case NodeKind::kShuffle:
        return each(n, [&](int c, int p) {
          return x[at(n, c % n.groups * (n.channels / n.groups) + c / n.groups, p)];
        });
      case NodeKind::kPool: return pool(n, x, from);
      case NodeKind::kMaxPool: return largest(n, x, from);
      case NodeKind::kFlatten: return x;
      case NodeKind::kMeans: {
        const int plane = from.height * from.width;
        return each(n, [&](int c, int) {
          double sum = 0;
          for (int p = 0; p < plane; ++p) sum += x[static_cast<size_t>(c * plane + p)];
          return sum / plane;
        });
      }
      case NodeKind::kDense: {
        const auto inputs = static_cast<int>(x.size());
        return each(n, [&](int c, int) {
          double sum = n.bias[static_cast<size_t>(c)];
          for (int k = 0; k < inputs; ++k)
            sum += n.weight[static_cast<size_t>(c * inputs + k)] * x[static_cast<size_t>(k)];
          return sum;
        });
      }
      case NodeKind::kResize: return resize(n, x, from);
      case NodeKind::kGate: {
        const Planes detail = value(n.inputs[1]);
        return each(n, [&](int c, int p) {
          double sum = 0, most = -1e300;
          for (int k = 0; k < n.channels; ++k) most = std::max(most, x[at(n, k, p)]);
          for (int k = 0; k < n.channels; ++k) sum += std::exp(x[at(n, k, p)] - most);
          return detail[at(n, c, p)] * (1 - 1 / sum) + x[at(n, c, p)];
        });
      }
      default: return {};
    }
  }

  static Planes rounded(Planes x, const ValueRange& range) {
    if (range.step == 0) return x;
    const double zero = range.zero;
    for (double& v : x)
      v = range.step * (std::clamp(std::nearbyint(v / range.step) + zero, 0.0, 255.0) - zero);
    return x;
  }

  static size_t at(const Node& n, int c, int p) { return static_cast<size_t>(c * n.height * n.width + p); }
  static Planes each(const Node& n, const std::function<double(int, int)>& f) {
    Planes out;
    for (int c = 0; c < n.channels; ++c)
      for (int p = 0; p < n.height * n.width; ++p) out.push_back(f(c, p));
    return out;
  }

  static Planes conv(const Node& n, const Planes& x, const Node& from, int inputs) {
    const int each_in = inputs / n.groups, each_out = n.channels / n.groups;
    return each(n, [&](int o, int p) {
      const int y = p / n.width, left = p % n.width, group = o / each_out;
      double sum = n.bias[static_cast<size_t>(o)];
      for (int k = 0; k < each_in; ++k)
        for (int ky = 0; ky < n.kernel_h; ++ky)
          for (int kx = 0; kx < n.kernel_w; ++kx) {
            const int iy = y * n.stride + ky * n.dilation - n.pad_h,
                      ix = left * n.stride + kx * n.dilation - n.pad_w;
            if (iy < 0 || ix < 0 || iy >= from.height || ix >= from.width) continue;
            sum += n.weight[static_cast<size_t>(((o * each_in + k) * n.kernel_h + ky) * n.kernel_w + kx)] *
                   x[static_cast<size_t>(((group * each_in + k) * from.height + iy) * from.width + ix)];
          }
      return sum;
    });
  }

  static Planes pool(const Node& n, const Planes& x, const Node& from) {
    return each(n, [&](int c, int p) {
      double sum = 0;
      for (int y = 0; y < n.factor; ++y)
        for (int i = 0; i < n.factor; ++i)
          sum += x[static_cast<size_t>((c * from.height + p / n.width * n.factor + y) * from.width +
                                       p % n.width * n.factor + i)];
      return sum / (n.factor * n.factor);
    });
  }

  static Planes largest(const Node& n, const Planes& x, const Node& from) {
    return each(n, [&](int c, int p) {
      double most = -1e300;
      for (int ky = 0; ky < n.kernel_h; ++ky)
        for (int kx = 0; kx < n.kernel_w; ++kx) {
          const int y = p / n.width * n.stride + ky - n.pad_h, i = p % n.width * n.stride + kx - n.pad_w;
          if (y < 0 || i < 0 || y >= from.height || i >= from.width) continue;
          most = std::max(most, x[static_cast<size_t>((c * from.height + y) * from.width + i)]);
        }
      return most;
    });
  }

  static double position(int i, int from, int to, bool corners) {
    if (corners) return to > 1 ? i * (from - 1.0) / (to - 1.0) : 0.0;
    return std::max(0.0, (i + 0.5) * from / to - 0.5);
  }

  static Planes resize(const Node& n, const Planes& x, const Node& from) {
    return each(n, [&](int c, int p) {
      const double y = position(p / n.width, from.height, n.height, n.align_corners);
      const double left = position(p % n.width, from.width, n.width, n.align_corners);
      const int y0 = static_cast<int>(y), x0 = static_cast<int>(left);
      const int y1 = std::min(y0 + 1, from.height - 1), x1 = std::min(x0 + 1, from.width - 1);
      const auto read = [&](int row, int column) {
        return x[static_cast<size_t>((c * from.height + row) * from.width + column)];
      };
      const double top = read(y0, x0) + (read(y0, x1) - read(y0, x0)) * (left - x0);
      const double bottom = read(y1, x0) + (read(y1, x1) - read(y1, x0)) * (left - x0);
      return top + (bottom - top) * (y - y0);
    });
  }

  const Graph& g_;
  const std::vector<float>& input_;
  Arithmetic arithmetic_;
  std::vector<Planes> done_;
};

// Infinite where something is no number, or of another size.
double largest_difference(std::span<const float> found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(found[i] - expected[i]) / (1 + std::abs(expected[i]));
    if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, difference);
  }
  return worst;
}

}  // namespace

std::vector<double> evaluate(const Graph& graph, const std::vector<float>& input, size_t output,
                             Arithmetic arithmetic) {
  return Evaluator(graph, input, arithmetic).value(graph.outputs()[output].second);
}

double worst_difference(const Graph& graph) {
  const auto bytes = compile(graph);
  std::vector<float> image;
  std::vector<std::vector<double>> expected;
  double worst = 0;
  for (const Kernels* kernels : all_kernels()) {
    Engine engine(Model::from_memory(bytes), *kernels);
    image.resize(engine.input(0).size());
    for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
    for (size_t output = expected.size(); output < graph.outputs().size(); ++output)
      expected.push_back(evaluate(graph, image, output));
    std::copy(image.begin(), image.end(), engine.input(0).begin());
    engine.run();
    for (size_t output = 0; output < expected.size(); ++output)
      worst = std::max(worst, largest_difference(engine.output(output), expected[output]));
  }
  return worst;
}

std::vector<float> random_weight(const std::string& name, const std::vector<int64_t>& shape) {
  std::mt19937 random(static_cast<uint32_t>(std::hash<std::string>()(name)));
  size_t count = 1, fan = 1;
  for (size_t i = 0; i < shape.size(); ++i)
    count *= static_cast<size_t>(shape[i]), fan *= i > 0 ? static_cast<size_t>(shape[i]) : 1;
  const bool variance = name.ends_with("running_var"), slope = name.ends_with("act.weight");
  std::uniform_real_distribution<float> one(variance ? 0.5F
                                            : slope  ? 0.0F
                                                     : -1.0F,
                                            variance ? 1.5F
                                            : slope  ? 0.5F
                                                     : 1.0F);
  const float scale = shape.size() > 1 ? std::sqrt(3.0F / static_cast<float>(fan)) : 1.0F;
  std::vector<float> values(count);
  for (float& v : values) v = one(random) * scale;
  return values;
}

}  // namespace perennial::edge::naive
