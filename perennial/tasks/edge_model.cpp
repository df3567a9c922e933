#include "perennial/tasks/edge_model.h"

#include "edge/compile/calibrate.h"
#include "edge/compile/compile.h"
#include "edge/image.h"
#include "perennial/io/image.h"
#include "perennial/tasks/background.h"

namespace perennial {
namespace {

std::vector<edge::ValueRange> calibrate(const edge::Graph& graph,
                                        const std::vector<std::filesystem::path>& images) {
  edge::Calibrator calibrator(graph);
  const edge::Model& model = calibrator.engine().model();
  const edge::PortRecord& port = model.port(false, 0);
  const edge::TensorRecord& in = model.tensors()[port.tensor];
  if (port.divisor == 0 || in.channels != 3)
    throw std::invalid_argument(
        "calibration: the network's input is no image (a description says so by \"divisor\")");
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
    own.inputs = calibrate(graph, precision.calibration);
  return edge::compile(graph, own);
}

}  // namespace perennial
