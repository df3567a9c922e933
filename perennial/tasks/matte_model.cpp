#include "perennial/tasks/matte_model.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>

#include "edge/nets/sinet.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/tasks/edge_model.h"

namespace perennial {

edge::Graph sinet_graph(const TensorFile& weights, int64_t side, const SinetStatistics& statistics) {
  if (side < 32 || side > 4096 || side % 32 != 0)
    throw std::invalid_argument(
        fmt::format("the side of SINet's input: expected a multiple of 32, found {}", side));
  edge::ImageInput image{.divisor = 255, .bgr = true};
  std::copy(statistics.mean.begin(), statistics.mean.end(), image.mean);
  std::copy(statistics.std.begin(), statistics.std.end(), image.std);
  const edge::Weights tensors = edge_weights(weights);
  return edge::sinet_portrait(edge::source_of(tensors), image, static_cast<int>(side));
}

std::filesystem::path default_matte_model() {
  const char* named = std::getenv("PERENNIAL_MATTE_MODEL");
  const std::filesystem::path path =
      named != nullptr ? named : cache_folder() / "models" / "sinet_portrait.peb";
  if (!std::filesystem::exists(path))
    throw Error({"looking for a matte model", path.string(),
                 "--model, PERENNIAL_MATTE_MODEL, or a file there (perennial segment export --weights "
                 "sinet_portrait.safetensors -o " +
                     path.string() + ")",
                 "none"});
  return path;
}

}  // namespace perennial
