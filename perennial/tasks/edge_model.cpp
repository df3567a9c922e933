#include "perennial/tasks/edge_model.h"

#include <algorithm>
#include <optional>

#include "edge/compile/calibrate.h"
#include "edge/compile/compile.h"
#include "edge/image.h"
#include "perennial/data/bad_files.h"
#include "perennial/io/frame.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

std::vector<edge::ValueRange> calibrate(const edge::Graph& graph,
                                        const std::vector<std::filesystem::path>& images, bool skip_bad) {
  edge::Calibrator calibrator(graph);
  const edge::Model& model = calibrator.engine().model();
  const edge::PortRecord& port = model.port(false, 0);
  const edge::TensorRecord& in = model.tensors()[port.tensor];
  if (port.divisor == 0 || in.channels != 3)
    throw std::invalid_argument(
        "calibration: the network's input is no image (a description says so by \"divisor\")");
  edge::Resizer resizer;
  std::vector<std::optional<Error>> errors(images.size());
  for (size_t i = 0; i < images.size(); ++i) {
    Frame frame;
    try {
      frame = frame_of(read_image(images[i]));
    } catch (const Error& error) {
      errors[i].emplace(error);
      continue;
    }
    const auto width = static_cast<int32_t>(frame.width), height = static_cast<int32_t>(frame.height);
    resizer.to_planes({frame.rgb.data(), width, height, 3 * static_cast<size_t>(width), 3}, port,
                      static_cast<int32_t>(in.width), static_cast<int32_t>(in.height),
                      calibrator.engine().input(0).data());
    calibrator.observe();
  }
  const bool none = std::all_of(errors.begin(), errors.end(), [](const auto& e) { return e.has_value(); });
  if (!skip_bad || none) throw_bad(errors, "--skip-bad goes on without");
  return calibrator.ranges();
}

}  // namespace

edge::Weights edge_weights(const TensorFile& file) {
  edge::Weights all;
  for (const auto& [name, tensor] : file.tensors) {
    const at::Tensor values = tensor.to(at::kFloat).contiguous();
    const float* data = values.const_data_ptr<float>();
    all[name] = {tensor.sizes().vec(), {data, data + values.numel()}, !tensor.is_floating_point()};
  }
  return all;
}

std::vector<std::byte> compile_for_edge(const edge::Graph& graph, const EdgePrecision& precision) {
  edge::Precision own{precision.weights, {}};
  if (precision.weights == edge::Dtype::kInt8 && !precision.calibration.empty())
    own.inputs = calibrate(graph, precision.calibration, precision.skip_bad);
  return edge::compile(graph, own);
}

}  // namespace perennial
