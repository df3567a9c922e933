#include "perennial/tasks/matte_model.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "edge/compile/calibrate.h"
#include "edge/compile/compile.h"
#include "edge/compile/onnx.h"
#include "edge/image.h"
#include "edge/nets/sinet.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/image.h"
#include "perennial/tasks/background.h"

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

std::vector<edge::ValueRange> calibrate(const edge::Graph& graph,
                                        const std::vector<std::filesystem::path>& images) {
  if (images.empty()) throw std::invalid_argument("int8: expected photographs to calibrate with, found none");
  edge::Calibrator calibrator(graph);
  const edge::Model& model = calibrator.engine().model();
  const edge::PortRecord& port = model.port(false, 0);
  const edge::TensorRecord& in = model.tensors()[port.tensor];
  edge::Resizer resizer;
  for (const auto& path : images) {
    const Frame frame = frame_of(read_image(path));
    const auto width = static_cast<int32_t>(frame.width), height = static_cast<int32_t>(frame.height);
    resizer.to_planes({frame.rgb.data(), width, height, 3 * static_cast<size_t>(width), 3}, port,
                      static_cast<int32_t>(in.width), static_cast<int32_t>(in.height),
                      calibrator.engine().input(0).data());
    calibrator.observe();
  }
  return calibrator.ranges();
}

}  // namespace

std::vector<std::byte> compile_sinet(const TensorFile& weights, const MatteModelOptions& options) {
  const edge::Graph graph = graph_of(weights, options.side, options.statistics);
  edge::Precision precision{options.weights, {}};
  if (options.weights == edge::Dtype::kInt8) precision.inputs = calibrate(graph, options.calibration);
  return edge::compile(graph, precision);
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
