#include "edge/compile/listing.h"

#include <memory>
#include <stdexcept>

#include "edge/compile/json.h"

namespace perennial::edge {
namespace {

using nlohmann::json;

constexpr size_t kMostOperations = 4096, kDeepest = 4, kMostText = size_t{1} << 22;
constexpr int64_t kMostSide = 1 << 12, kMostKernel = 64;
// What 8 bits stood for where the networks were trained: the image, and what a relu6 gives.
constexpr ValueRange kRangeOfImage{1.0F / 128, 128};
constexpr float kMostOfRelu6 = 6;

class Reader {
 public:
  Reader(const Weights& weights, const ImageInput& image, int side)
      : weights_(weights), g_([values = values_](const std::string& name, const std::vector<int64_t>&) {
          return values->at(name);
        }) {
    require(side >= 1 && side <= kMostSide, "a side of 1 to 4096 pixels");
    image_ = g_.input("image", 3, side, side, image);
    node(image_).range = kRangeOfImage;
  }

  Graph read(const std::string& text) {
    require(text.size() <= kMostText, "at most 4 MB");
    const json all = parse(text);
    require(all.is_array() && !all.empty() && all.size() <= kMostOperations,
            "an array of 1 to 4096 operations");
    for (const json& operation : all) {
      where_ = "operation " + std::to_string(read_++);
      require(operation.is_object(), "an object");
      one(operation);
    }
    g_.output("logits", last_);
    if (features_.node >= 0) g_.output("features", features_);
    return std::move(g_);
  }

 private:
  void require(bool good, const std::string& expected) const {
    if (!good) throw std::invalid_argument("network listing: " + where_ + ": expected " + expected);
  }
  json parse(const std::string& text) const {
    try {
      return read_json(text, kDeepest);
    } catch (const BadJson& e) {
      throw std::invalid_argument("network listing: " + std::string(e.what()));
    }
  }
  std::string text(const json& op, const char* key) const {
    require(op.contains(key) && op[key].is_string(), std::string("\"") + key + "\", a text");
    return op[key];
  }
  double number(const json& op, const char* key) const {
    require(op.contains(key) && op[key].is_number(), std::string("\"") + key + "\", a number");
    return op[key];
  }
  int64_t number_of_value(const json& value) const {
    require(value.is_number_integer(), "values that are whole numbers");
    return value;
  }

  Value input(const json& op, size_t index, size_t count = 1) {
    require(op.contains("in") && op["in"].is_array() && op["in"].size() == count,
            "\"in\", an array of " + std::to_string(count));
    const int64_t value = number_of_value(op["in"][index]);
    const auto found = given_.find(value);
    if (found != given_.end()) return found->second;
    require(given_.empty(), "value " + std::to_string(value) + " to be given before it is read");
    return given_[value] = image_;
  }

  void one(const json& op) {
    const std::string kind = text(op, "op");
    Value y;
    if (kind == "CONV_2D" || kind == "DEPTHWISE_CONV_2D") {
      y = convolution(op, kind != "CONV_2D");
    } else if (kind == "ADD") {
      const Value a = input(op, 0, 2), b = input(op, 1, 2);
      require(same_shape(a, b), "values of one shape");
      y = activated(op, g_.add(a, b));
    } else if (kind == "AVERAGE_POOL_2D") {
      y = means(op);
    } else {
      require(kind == "RESHAPE" || kind == "SOFTMAX", "an operation that is known, found " + kind);
      y = input(op, 0);
      require(pixels(y) == 1, "planes of one pixel");
    }
    require(op.contains("out"), "\"out\"");
    require(given_.emplace(number_of_value(op["out"]), y).second, "a value that is new");
    last_ = y;
  }

  bool same_shape(const Value& a, const Value& b) const {
    return a.channels == b.channels && g_.node(a).height == g_.node(b).height &&
           g_.node(a).width == g_.node(b).width;
  }
  Node& node(const Value& v) { return g_.nodes()[static_cast<size_t>(v.node)]; }
  int pixels(const Value& v) const { return g_.node(v).height * g_.node(v).width; }

  Value activated(const json& op, Value x) {
    const std::string kind = text(op, "activation");
    require(kind == "relu6" || kind == "none", "\"activation\" to be relu6 or none, found " + kind);
    if (kind == "none") return x;
    const Value y = g_.clamp(x, 0, kMostOfRelu6);
    node(y).range = range_of(0, kMostOfRelu6);
    return y;
  }

  Value means(const json& op) {
    const Value x = input(op, 0);
    const Node& n = g_.node(x);
    require(
        op.contains("kernel") && op["kernel"] == json({n.height, n.width}),
        "\"kernel\" to be the whole plane, " + std::to_string(n.height) + " by " + std::to_string(n.width));
    const ValueRange range = n.range;
    const Value y = g_.means(x);
    node(y).range = range;
    return y;
  }

  const Weight& tensor(const json& op, const char* key, size_t dimensions) const {
    const std::string name = text(op, key);
    const auto found = weights_.find(name);
    require(found != weights_.end(), "a tensor " + name + ", found none");
    require(found->second.shape.size() == dimensions,
            name + " to have " + std::to_string(dimensions) + " dimensions");
    size_t count = 1;
    for (const int64_t side : found->second.shape) count *= static_cast<size_t>(side);
    require(count == found->second.values.size(), name + " to have as many values as its shape says");
    return found->second;
  }

  Value convolution(const json& op, bool depthwise) {
    const Value x = input(op, 0);
    const Weight &weight = tensor(op, "weight", 4), &bias = tensor(op, "bias", 1);
    const auto& s = weight.shape;
    const int64_t out = depthwise ? s[3] : s[0];
    require(depthwise ? s[0] == 1 && s[3] == x.channels : s[3] == x.channels,
            "weights for " + std::to_string(x.channels) + " channels");
    require(bias.shape[0] == out && out >= 1, "a bias for each output");
    require(s[1] >= 1 && s[2] >= 1 && s[1] <= kMostKernel && s[2] <= kMostKernel,
            "a kernel of 1 to 64 a side");
    const double stride = number(op, "stride");
    require(stride == 1 || stride == 2, "\"stride\" to be 1 or 2");
    require(text(op, "padding") == "SAME", "\"padding\" to be SAME");
    std::string name = text(op, "weight");
    name = name.substr(0, name.rfind('.'));
    *values_ = {{name + ".weight", real(op, weight, depthwise)}, {name + ".bias", bias.values}};
    const Value y =
        g_.conv(name, x,
                {static_cast<int>(out), static_cast<int>(s[1]), static_cast<int>(s[2]),
                 static_cast<int>(stride), depthwise ? x.channels : 1, true, Graph::Padding::kSame});
    values_->clear();
    node(y).weight_step.assign(static_cast<size_t>(out), static_cast<float>(number(op, "w_scale")));
    if (pixels(x) == 1) features_ = x;
    return activated(op, y);
  }

  // [out][height][width][in] to [out][in][height][width]; depthwise, the channels are the outputs.
  std::vector<float> real(const json& op, const Weight& w, bool depthwise) const {
    const double scale = number(op, "w_scale"), zero = number(op, "w_zero");
    require(scale > 0 && zero >= 0 && zero <= 255, "\"w_scale\" above 0 and \"w_zero\" of 0 to 255");
    const auto out = static_cast<size_t>(w.shape[0]), in = static_cast<size_t>(w.shape[3]),
               taps = static_cast<size_t>(w.shape[1] * w.shape[2]);
    std::vector<float> to(w.values.size());
    for (size_t o = 0; o < out; ++o)
      for (size_t t = 0; t < taps; ++t)
        for (size_t c = 0; c < in; ++c) {
          const double q = w.values[(o * taps + t) * in + c];
          to[((depthwise ? c : o * in + c) * taps) + t] = static_cast<float>(scale * (q - zero));
        }
    return to;
  }

  const Weights& weights_;
  using Values = std::map<std::string, std::vector<float>>;
  std::shared_ptr<Values> values_ = std::make_shared<Values>();  ///< of the convolution that is being added
  Graph g_;
  Value image_, last_, features_;
  std::map<int64_t, Value> given_;
  std::string where_ = "the list";
  int read_ = 0;
};

}  // namespace

Graph read_listing(const std::string& json, const Weights& weights, const ImageInput& image, int side) {
  return Reader(weights, image, side).read(json);
}

}  // namespace perennial::edge
