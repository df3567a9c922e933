#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "edge/compile/precision.h"

namespace perennial::edge {

/// A tensor of trained weights, float32.
struct Weight {
  std::vector<int64_t> shape;
  std::vector<float> values;
  bool integers = false;  ///< stored as such: levels of 8-bit weights, which a listing of operations takes
};
using Weights = std::map<std::string, Weight>;

/// Gives the values of a tensor by name; throws std::invalid_argument when there is none of that shape, or
/// when they are no finite numbers.
using WeightSource =
    std::function<std::vector<float>(const std::string& name, const std::vector<int64_t>& shape)>;
/// From a map, which must outlive the source.
WeightSource source_of(const Weights& weights);

enum class NodeKind {
  kInput,
  kConv,
  kNorm,
  kPrelu,
  kClamp,
  kAdd,
  kConcat,
  kShuffle,
  kPool,
  kMaxPool,
  kMeans,
  kFlatten,
  kDense,
  kScale,
  kResize,
  kGate
};

/// Channels [begin, begin + channels) of what node `node` gives.
struct Value {
  int node = -1;
  int begin = 0, channels = 0;
};

struct Node {
  NodeKind kind = NodeKind::kInput;
  std::string name;
  std::string where;  ///< what a person calls it who wrote it: "layer 3"; empty: its name
  std::vector<Value> inputs;
  int channels = 0, height = 0, width = 0;  ///< of what it gives
  int kernel_h = 1, kernel_w = 1, stride = 1, groups = 1, factor = 1, dilation = 1;
  int pad_h = 0, pad_w = 0;  ///< zeros above and on the left; those opposite follow from the output's size
  bool align_corners = false;
  bool interleave = false;  ///< kConv: its groups are shuffled on writing
  std::vector<float> weight, bias, slope, scale,
      shift;  ///< kNorm: scale, shift; kAdd: scale of the second input
  float low = 0, high = 0;
  ValueRange range;  ///< of what it gives, where the checkpoint says so
  std::vector<float>
      weight_step;  ///< kConv, kDense: weights are whole multiples of it, by row; empty: not known
};

/// How an image becomes the planes of an input: (pixel - mean) / std / divisor, mean and std in the order of
/// the planes. A divisor of 0: the input is no image.
struct ImageInput {
  float mean[3] = {0, 0, 0}, std[3] = {1, 1, 1};
  float divisor = 0;
  bool bgr = false;
  bool rounded = false;  ///< resized as Pillow's BILINEAR does, to the bit; else in floating point
  bool centre = false;   ///< with `rounded`: the aspect is kept, and what reaches beyond is cut off
  bool grey = false;     ///< with `rounded`: every plane is the image's grey
};

/// A network as it was trained: layers in order, batch normalisation apart, nothing merged. Built by the
/// functions below, which take their weights by name and check every shape (std::invalid_argument names the
/// tensor).
class Graph {
 public:
  explicit Graph(WeightSource weights) : take_(std::move(weights)) {}

  Value input(const std::string& name, int channels, int height, int width, const ImageInput& image = {});
  /// Zeros around the input. kHalf: half of what the kernel reaches over on every side. kSame: those that
  /// give ceil(side / stride) outputs, the smaller half of them above and on the left (TensorFlow's SAME).
  enum class Padding { kHalf, kSame };
  struct Conv {
    int out, kernel_h = 1, kernel_w = 1, stride = 1, groups = 1;
    bool bias = false;
    Padding padding = Padding::kHalf;
    int dilation = 1;  ///< rows and columns from tap to tap
  };
  Value conv(const std::string& name, Value x, const Conv& shape);
  Value norm(const std::string& name, Value x, double eps);
  Value prelu(const std::string& name, Value x);
  /// The same slope for every channel.
  Value leaky(Value x, float slope);
  Value clamp(Value x, float low, float high);
  Value add(Value a, Value b);
  Value concat(const std::vector<Value>& parts);
  Value shuffle(Value x, int groups);
  Value pool(Value x, int factor);
  /// The largest of kernel x kernel values of a plane, half of the kernel reaching beyond it on every side.
  Value max_pool(Value x, int kernel, int stride);
  Value means(Value x);
  /// Planes one behind the other as channels of one pixel.
  Value flatten(Value x);
  Value dense(const std::string& name, Value x, int out, bool bias);
  /// x times a number for each channel, s [channels, 1, 1].
  Value scale(Value x, Value s);
  Value resize(Value x, int factor, bool align_corners);
  Value gate(Value coarse, Value detail);
  /// A name that no port has yet.
  void output(const std::string& name, Value x);
  /// An output of one pixel is logits, and has a label for each channel. Throws std::invalid_argument for
  /// another number of them, for one that holds a zero byte, or is longer than kLongestLabel.
  void label(const std::string& output, std::vector<std::string> labels);
  /// A node as it is. Every other function adds its node by this one, which bounds their number and what
  /// they hold.
  Value push(Node node);

  const Node& node(Value v) const { return nodes_[static_cast<size_t>(v.node)]; }
  std::vector<Node>& nodes() { return nodes_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<std::pair<std::string, Value>>& outputs() const { return outputs_; }
  std::vector<std::pair<std::string, Value>>& outputs() { return outputs_; }
  const std::map<int, ImageInput>& images() const { return images_; }
  /// By output.
  const std::map<std::string, std::vector<std::string>>& labels() const { return labels_; }

 private:
  Node like(NodeKind kind, Value x) const;

  WeightSource take_;
  std::vector<Node> nodes_;
  std::vector<std::pair<std::string, Value>> outputs_;
  std::map<int, ImageInput> images_;
  std::map<std::string, std::vector<std::string>> labels_;
  size_t parameters_ = 0;
};

}  // namespace perennial::edge
