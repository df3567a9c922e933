#include "perennial/tasks/matte_training.h"

#include <stdexcept>

#include "perennial/tasks/matte_loss.h"

namespace perennial {
namespace {

bool is_convolution(const at::Tensor& t) { return t.dim() == 4; }

bool is_depthwise(const at::Tensor& t) { return is_convolution(t) && t.size(1) == 1 && t.size(0) > 1; }

}  // namespace

std::vector<MatteStage> matte_stages() {
  return {{"encoder", true, 8, 5, 300, 36}, {"decoder", false, 1, 15, 300, 24}};
}

double initial_matte_learning_rate(const std::string& loss) {
  if (loss == "cross_entropy") return 7.5e-4;
  if (loss == "lovasz") return 5e-4;
  throw std::invalid_argument("unknown loss '" + loss + "' (there are: cross_entropy, lovasz)");
}

double matte_learning_rate(double initial, int64_t epoch) {
  if (epoch < 150) return initial;
  return epoch < 250 ? initial / 2 : initial / 4;
}

std::vector<ParameterGroup> sinet_groups(const Sinet& net, bool encoder_only) {
  std::vector<ParameterGroup> groups{{{}, 0}, {{}, 2e-4}, {{}, 2e-6}};
  for (const NamedTensor& t : net.tensors().all()) {
    if (!t.trainable || (encoder_only && !t.name.starts_with("encoder."))) continue;
    const size_t group = is_depthwise(t.value) ? 0 : is_convolution(t.value) ? 1 : 2;
    groups[group].parameters.push_back(t.value);
  }
  return groups;
}

at::Tensor matte_stage_loss(Sinet& net, const MatteStage& stage, const at::Tensor& inputs,
                            const at::Tensor& labels, const std::string& kind, const at::Tensor& weights) {
  MatteLossOptions options;
  options.kind = kind;
  options.boundary_side = stage.boundary_side;
  options.class_weights = weights;
  const at::Tensor logits = stage.encoder_only ? net.encode(inputs, true) : net.forward(inputs, true).logits;
  return matte_loss(logits, coarse_labels(labels, stage.label_factor), options);
}

}  // namespace perennial
