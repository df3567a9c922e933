#include "perennial/tasks/segment/matte_model.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "edge/nets/extremec3.h"
#include "edge/nets/sinet.h"
#include "perennial/base/environment.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/tasks/edge_model.h"

namespace perennial {

MatteNet matte_net(const TensorFile& weights) {
  MatteNet net;
  const auto text = [&](const char* key) {
    const auto at = weights.metadata.find(key);
    return at == weights.metadata.end() ? std::string() : at->second;
  };
  if (weights.tensors.contains("Fine.0.conv.weight")) net.variant = "extremec3";
  const auto last = weights.tensors.find("classifier.1.weight");
  if (last != weights.tensors.end() && last->second.dim() == 4 && last->second.size(0) == 1) net.classes = 1;
  net.gate = text("gate") != "false";
  if (const std::string size = text("size"); !size.empty()) net.size = parse_int(size, "size");
  return net;
}

namespace {

// SINet of one logit z as one of two, 0 and z: whatever has a channel for each gets one of zeros before it.
edge::WeightSource with_background(edge::WeightSource weights) {
  return [weights = std::move(weights)](const std::string& name, const std::vector<int64_t>& shape) {
    constexpr const char* kLast = "classifier.1.weight";
    const bool by_class = name == kLast || name == "encoder.classifier.conv.weight" ||
                          name.starts_with("bn_2.") || name.starts_with("bn_3.") ||
                          name.starts_with("level2_C.");
    if (!by_class) return weights(name, shape);
    std::vector<int64_t> own = shape;
    own[0] = 1;
    if (name == kLast) own[1] = 1;
    const std::vector<float> foreground = weights(name, own);
    size_t count = 1;
    for (const int64_t side : shape) count *= static_cast<size_t>(side);
    std::vector<float> both(count, name.ends_with("running_var") ? 1.0F : 0.0F);
    std::copy(foreground.rbegin(), foreground.rend(), both.rbegin());
    return both;
  };
}

}  // namespace

edge::Graph matte_graph(const TrainedWeights& weights, int64_t asked, const SinetStatistics& statistics) {
  const MatteNet net = matte_net(weights);
  const int64_t side = asked > 0 ? asked : net.size;
  if (net.variant == "portrait" && !net.gate)
    throw std::invalid_argument(
        "these weights were trained with gate = false (an ablation); the runtime has SINet with its gate "
        "only");
  if (side < 32 || side > 4096 || side % 32 != 0)
    throw std::invalid_argument(
        fmt::format("size: expected a side of 32 to 4096 pixels that is a multiple of 32, found {}", side));
  edge::ImageInput image{.divisor = 255, .bgr = true};
  std::copy(statistics.mean.begin(), statistics.mean.end(), image.mean);
  std::copy(statistics.std.begin(), statistics.std.end(), image.std);
  const edge::Weights tensors = edge_weights(weights);
  const edge::WeightSource source = edge::source_of(tensors);
  const auto side_of_input = static_cast<int>(side);
  try {
    if (net.variant == "extremec3") return edge::extremec3_portrait(source, image, side_of_input);
    return edge::sinet_portrait(net.classes == 1 ? with_background(source) : source, image, side_of_input);
  } catch (const std::invalid_argument& e) {
    throw Error({"loading weights", fmt::format("{}: {}", weights.source, e.what()), "", ""});
  }
}

std::filesystem::path default_matte_model() {
  const auto named = environment("PERENNIAL_MATTE_MODEL");
  const std::filesystem::path path =
      named ? std::filesystem::path(*named) : cache_folder() / "models" / "sinet_portrait.peb";
  if (!std::filesystem::exists(path))
    throw Error({"looking for a matte model", path.string(),
                 "--model, PERENNIAL_MATTE_MODEL, or a file there (perennial segment export --weights "
                 "sinet_portrait.safetensors -o " +
                     path.string() + ")",
                 "none"});
  return path;
}

}  // namespace perennial
