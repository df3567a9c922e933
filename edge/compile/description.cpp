#include "edge/compile/description.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <stdexcept>

#include "edge/compile/fold.h"
#include "edge/compile/json.h"
#include "edge/compile/lower.h"

namespace perennial::edge {
namespace {

using nlohmann::json;

constexpr size_t kMostLayers = 1024, kMostParts = 64, kDeepest = 8, kMostText = size_t{1} << 22;
constexpr int kMostSide = 4096, kMostChannels = 4096, kMostFactor = 64, kMostKernel = 64;
constexpr int kMostFlat = 1 << 16;

// As float32 too.
bool finite(const json& v) { return v.is_number() && std::abs(v.get<double>()) <= 1e30; }

void require(bool good, const std::string& expected) {
  if (!good) throw std::invalid_argument("expected " + expected);
}

/// What an object holds; every key must be asked for.
class Object {
 public:
  Object(const json& object, const std::string& what) : json_(object) {
    require(object.is_object(), what + " to be an object");
  }

  bool has(const std::string& key) {
    known_.insert(key);
    return json_.contains(key);
  }
  const json& at(const std::string& key) {
    require(has(key), "\"" + key + "\"");
    return json_[key];
  }
  std::string text(const std::string& key) {
    const json& v = at(key);
    require(v.is_string(), "\"" + key + "\" to be a text");
    return v;
  }
  double number(const std::string& key, double otherwise) {
    if (!has(key)) return otherwise;
    require(finite(json_[key]), "\"" + key + "\" to be a number");
    return json_[key];
  }
  int whole(const std::string& key, int least, int most, int otherwise) {
    const double v = number(key, otherwise);
    require(v >= least && v <= most && v == static_cast<int>(v),
            "\"" + key + "\" of " + std::to_string(least) + " to " + std::to_string(most));
    return static_cast<int>(v);
  }
  bool flag(const std::string& key, bool otherwise) {
    if (!has(key)) return otherwise;
    require(json_[key].is_boolean(), "\"" + key + "\" to be true or false");
    return json_[key];
  }
  std::vector<float> numbers(const std::string& key, size_t count) {
    const json& v = at(key);
    require(v.is_array() && v.size() == count && std::all_of(v.begin(), v.end(), finite),
            "\"" + key + "\", " + std::to_string(count) + " numbers");
    return v;
  }
  std::vector<std::string> texts(const std::string& key) {
    const json& v = at(key);
    require(v.is_array() && !v.empty() && v.size() <= kMostParts &&
                std::all_of(v.begin(), v.end(), [](const json& e) { return e.is_string(); }),
            "\"" + key + "\", 1 to " + std::to_string(kMostParts) + " names");
    return v;
  }
  /// The one of these that is there, or nothing.
  std::string one_of(std::initializer_list<const char*> keys) {
    std::string found;
    for (const char* key : keys) {
      if (!has(key)) continue;
      require(found.empty(), "one of \"" + found + "\" and \"" + key + "\"");
      found = key;
    }
    return found;
  }
  void nothing_else() const {
    for (const auto& [key, _] : json_.items())
      require(known_.contains(key), "keys that are known, found \"" + key + "\"");
  }

 private:
  const json& json_;
  std::set<std::string> known_;
};

class Reader {
 public:
  Reader(const Weights& weights, int side) : weights_(weights), side_(side), g_(source_of(weights)) {}

  Graph read(const std::string& text) {
    try {
      require(text.size() <= kMostText, "at most 4 MB");
      whole(read_json(text, kDeepest));
    } catch (const json::exception& e) {
      throw std::invalid_argument("network description: " + std::string(e.what()));
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument("network description: " + where_ + e.what());
    }
    return std::move(g_);
  }

 private:
  void whole(const json& text) {
    Object all(text, "the description");
    where_ = "image: ";
    image(all.at("image"));
    where_.clear();
    eps_ = all.number("eps", eps_);
    require(eps_ >= 0 && eps_ < 1, "\"eps\" of 0 to 1");
    const json& layers = all.at("layers");
    require(layers.is_array() && !layers.empty() && layers.size() <= kMostLayers,
            "\"layers\", an array of 1 to " + std::to_string(kMostLayers));
    for (const json& l : layers) {
      const std::string name = "layer " + std::to_string(count_++);
      const size_t before = g_.nodes().size();
      where_ = name + ": ";
      layer(l);
      for (size_t i = before; i < g_.nodes().size(); ++i) g_.nodes()[i].where = name;
    }
    where_ = "outputs: ";
    values_["last"] = last_;
    const json& outputs = all.at("outputs");
    require(outputs.is_object() && !outputs.empty() && outputs.size() <= kMostParts,
            "1 to " + std::to_string(kMostParts) + " outputs by name");
    for (const auto& [name, value] : outputs.items()) {
      require(value.is_string() && !name.empty(), "names of values");
      g_.output(name, named(value));
    }
    where_.clear();
    all.nothing_else();
    Graph copy = g_;
    fold(copy);
    lower(copy);  // complains where something has no operation
  }

  void image(const json& text) {
    Object o(text, "it");
    const int said = o.whole("side", 1, kMostSide, side_ > 0 ? side_ : 0),
              channels = o.whole("channels", 1, kMostChannels, 3);
    ImageInput pixels;
    pixels.divisor = static_cast<float>(o.number("divisor", 0));
    require(pixels.divisor >= 0, "\"divisor\" above 0");
    if (pixels.divisor > 0) {
      require(channels == 3, "3 channels of an image");
      const auto mean = o.numbers("mean", 3), deviation = o.numbers("std", 3);
      require(*std::min_element(deviation.begin(), deviation.end()) > 0, "\"std\" above 0");
      std::copy(mean.begin(), mean.end(), pixels.mean);
      std::copy(deviation.begin(), deviation.end(), pixels.std);
      pixels.bgr = o.flag("bgr", false);
    }
    require(pixels.divisor > 0 || !(text.contains("mean") || text.contains("std")),
            "\"divisor\" beside \"mean\" and \"std\" (255 for pixels from 0 to 1)");
    o.nothing_else();
    const int side = side_ > 0 ? side_ : said;
    require(side >= 1 && side <= kMostSide, "a side of 1 to " + std::to_string(kMostSide));
    values_["image"] = last_ = g_.input("image", channels, side, side, pixels);
  }

  Value named(const std::string& name) const {
    const auto found = values_.find(name);
    require(found != values_.end(), "a value \"" + name + "\" to be given before it is read");
    return found->second;
  }

  void layer(const json& text) {
    Object o(text, "a layer");
    Value x = o.has("in") ? named(o.text("in")) : last_;
    const std::string first = o.one_of({"concat", "add", "pool", "max_pool", "resize", "means", "flatten",
                                        "shuffle", "scale", "gate", "conv", "dense"});
    if (!first.empty()) x = does(first, o, x);
    const bool normalised = o.has("norm");
    if (normalised) x = g_.norm(o.text("norm"), x, eps_);
    const std::string activation = o.one_of({"prelu", "leaky", "clamp"});
    if (!activation.empty()) x = activated(activation, o, x);
    require(normalised || !first.empty() || !activation.empty(), "something that it does");
    if (o.has("as")) {
      const std::string name = o.text("as");
      require(name != "last" && values_.emplace(name, x).second,
              "a name that is new, found \"" + name + "\"");
    }
    o.nothing_else();
    last_ = x;
  }

  Value does(const std::string& what, Object& o, Value x) {
    if (what == "concat") {
      std::vector<Value> parts;
      for (const std::string& name : o.texts(what)) parts.push_back(named(name));
      return g_.concat(parts);
    }
    if (what == "add") {
      for (const std::string& name : o.texts(what)) x = g_.add(x, named(name));
      return x;
    }
    if (what == "pool") return g_.pool(x, o.whole(what, 2, kMostFactor, 0));
    if (what == "max_pool")
      return g_.max_pool(x, o.whole(what, 1, kMostKernel, 0), o.whole("stride", 1, 2, 1));
    if (what == "resize")
      return g_.resize(x, o.whole(what, 2, kMostFactor, 0), o.flag("align_corners", false));
    if (what == "means") {
      require(o.flag(what, false), "\"means\": true");
      return g_.means(x);
    }
    if (what == "flatten") {
      require(o.flag(what, false), "\"flatten\": true");
      return g_.flatten(x);
    }
    if (what == "shuffle") return g_.shuffle(x, o.whole(what, 1, kMostChannels, 0));
    if (what == "scale") return g_.scale(x, named(o.text(what)));
    if (what == "gate") return g_.gate(x, named(o.text(what)));
    if (what == "dense") return dense(o.text(what), x);
    return conv(o, x);
  }

  Value activated(const std::string& what, Object& o, Value x) {
    if (what == "prelu") return g_.prelu(o.text(what), x);
    if (what == "leaky") return g_.leaky(x, static_cast<float>(o.number(what, 0)));
    const auto bounds = o.numbers(what, 2);
    require(bounds[0] <= bounds[1], "\"clamp\", the lower bound first");
    return g_.clamp(x, bounds[0], bounds[1]);
  }

  // The shape of NAME.weight; its values are checked when they are taken.
  std::vector<int> shape(const std::string& name, size_t dimensions, int most = kMostChannels) const {
    const auto found = weights_.find(name + ".weight");
    require(found != weights_.end(), "a tensor " + name + ".weight, found none");
    const auto& sides = found->second.shape;
    require(sides.size() == dimensions &&
                std::all_of(sides.begin(), sides.end(), [most](int64_t s) { return s >= 1 && s <= most; }),
            name + ".weight to have " + std::to_string(dimensions) + " dimensions of 1 to " +
                std::to_string(most));
    return {sides.begin(), sides.end()};
  }
  bool biased(const std::string& name) const { return weights_.contains(name + ".bias"); }

  Value conv(Object& o, Value x) {
    const std::string name = o.text("conv");
    const auto s = shape(name, 4);
    require(x.channels % s[1] == 0, name + ".weight for a part of " + std::to_string(x.channels) +
                                        " channels, found " + std::to_string(s[1]));
    require(s[2] <= kMostKernel && s[3] <= kMostKernel, "a kernel of 1 to 64 a side");
    return g_.conv(name, x,
                   {s[0], s[2], s[3], o.whole("stride", 1, 2, 1), x.channels / s[1], biased(name),
                    o.flag("same", false) ? Graph::Padding::kSame : Graph::Padding::kHalf,
                    o.whole("dilation", 1, kMostKernel, 1)});
  }

  Value dense(const std::string& name, Value x) {
    return g_.dense(name, x, shape(name, 2, kMostFlat)[0], biased(name));
  }

  const Weights& weights_;
  int side_;
  Graph g_;
  double eps_ = 1e-5;
  Value last_;
  std::map<std::string, Value> values_;
  std::string where_;
  int count_ = 0;
};

}  // namespace

Graph read_description(const std::string& json, const Weights& weights, int side) {
  return Reader(weights, side).read(json);
}

}  // namespace perennial::edge
