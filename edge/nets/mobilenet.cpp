#include "edge/nets/mobilenet.h"

namespace perennial::edge {
namespace {

constexpr double kEps = 1e-5;
constexpr float kSlope = 0.1F;
constexpr int kClasses = 1000;

struct Block {
  const char* name;
  int out, stride;
};
constexpr Block kBlocks[] = {{"stage1.1", 16, 1},  {"stage1.2", 32, 2},  {"stage1.3", 32, 1},
                             {"stage1.4", 64, 2},  {"stage1.5", 64, 1},  {"stage2.0", 128, 2},
                             {"stage2.1", 128, 1}, {"stage2.2", 128, 1}, {"stage2.3", 128, 1},
                             {"stage2.4", 128, 1}, {"stage2.5", 128, 1}, {"stage3.0", 256, 2},
                             {"stage3.1", 256, 1}};

}  // namespace

Graph mobilenet_v1_025(const WeightSource& weights, const ImageInput& image, int side) {
  Graph g(weights);
  // Layer `first` of a stage, its normalisation after it.
  const auto layer = [&g](const std::string& stage, int first, Value x, const Graph::Conv& shape) {
    const std::string at = stage + ".";
    x = g.conv(at + std::to_string(first), x, shape);
    return g.leaky(g.norm(at + std::to_string(first + 1), x, kEps), kSlope);
  };
  Value x = layer("stage1.0", 0, g.input("image", 3, side, side, image), {8, 3, 3, 2});
  for (const Block& block : kBlocks) {
    x = layer(block.name, 0, x, {x.channels, 3, 3, block.stride, x.channels});
    x = layer(block.name, 3, x, {block.out});
  }
  const Value features = g.means(x);
  g.output("logits", g.dense("fc", features, kClasses, true));
  g.output("features", features);
  return g;
}

}  // namespace perennial::edge
