#include "perennial/tasks/matte_model.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "edge/compile/compile.h"
#include "edge/compile/onnx.h"
#include "edge/nets/sinet.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"

namespace perennial {
namespace {

edge::Graph graph_of(const TensorFile& weights, int64_t side, const SinetStatistics& statistics) {
  if (side < 32 || side > 4096 || side % 32 != 0)
    throw std::invalid_argument(
        fmt::format("the side of SINet's input: expected a multiple of 32, found {}", side));
  const edge::WeightSource source = [&](const std::string& name, const std::vector<int64_t>& shape) {
    const auto found = weights.tensors.find(name);
    if (found == weights.tensors.end())
      throw std::invalid_argument(
          fmt::format("{}: expected a tensor [{}], found none", name, fmt::join(shape, ", ")));
    if (found->second.sizes() != at::IntArrayRef(shape))
      throw std::invalid_argument(fmt::format("{}: expected [{}], found [{}]", name, fmt::join(shape, ", "),
                                              fmt::join(found->second.sizes(), ", ")));
    const at::Tensor values = found->second.to(at::kFloat).contiguous();
    const float* data = values.const_data_ptr<float>();
    return std::vector<float>(data, data + values.numel());
  };
  edge::ImageInput image{.divisor = 255, .bgr = true};
  std::copy(statistics.mean.begin(), statistics.mean.end(), image.mean);
  std::copy(statistics.std.begin(), statistics.std.end(), image.std);
  return edge::sinet_portrait(source, image, static_cast<int>(side));
}

}  // namespace

std::vector<std::byte> compile_sinet(const TensorFile& weights, int64_t side,
                                     const SinetStatistics& statistics) {
  return edge::compile(graph_of(weights, side, statistics));
}

std::string sinet_onnx(const TensorFile& weights, int64_t side, const SinetStatistics& statistics) {
  return edge::to_onnx(graph_of(weights, side, statistics), "sinet");
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
