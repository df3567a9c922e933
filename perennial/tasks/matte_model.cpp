#include "perennial/tasks/matte_model.h"

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
  net.gate = text("gate") != "false";
  if (const std::string size = text("size"); !size.empty()) net.size = parse_int(size, "size");
  return net;
}

edge::Graph matte_graph(const TensorFile& weights, int64_t asked, const SinetStatistics& statistics) {
  const MatteNet net = matte_net(weights);
  const int64_t side = asked > 0 ? asked : net.size;
  if (net.variant == "portrait" && !net.gate)
    throw std::invalid_argument(
        "these weights were trained with gate = false (an ablation); the runtime has SINet with its gate "
        "only");
  if (side < 32 || side > 4096 || side % 32 != 0)
    throw std::invalid_argument(
        fmt::format("the side of the network's input: expected a multiple of 32, found {}", side));
  edge::ImageInput image{.divisor = 255, .bgr = true};
  std::copy(statistics.mean.begin(), statistics.mean.end(), image.mean);
  std::copy(statistics.std.begin(), statistics.std.end(), image.std);
  const edge::Weights tensors = edge_weights(weights);
  const auto network = net.variant == "extremec3" ? edge::extremec3_portrait : edge::sinet_portrait;
  return network(edge::source_of(tensors), image, static_cast<int>(side));
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
