#include "perennial/tasks/segment/matte_training.h"

#include "perennial/base/options.h"
#include "perennial/tasks/segment/matte_loss.h"

namespace perennial {
namespace {

bool is_convolution(const at::Tensor& t) { return t.dim() == 4; }

bool is_depthwise(const at::Tensor& t) { return is_convolution(t) && t.size(1) == 1 && t.size(0) > 1; }

}  // namespace

void MatteTrainOptions::bind(OptionTable& t) {
  t.add("net", net, "portrait: SINet; extremec3 has no stage of its encoder")
      .choices({"portrait", "extremec3"});
  t.add("loss", loss, "of both stages, plain and over the boundary band")
      .choices({"cross_entropy", "lovasz"});
  t.add("boundary_weight", boundary_weight, "of the loss over the boundary band; 0: without").range(0, 100);
  t.add("gate", gate, "information blocking in the decoder (false, an ablation: the fine map everywhere)");
  t.add("classes", classes,
        "logits a pixel: 2 for background and foreground, 1 for foreground alone; 0: as the weights that are "
        "given have it, else 2 for portrait and 1 for extremec3")
      .range(0, 2);
  t.add("size", size, "side of the network's input, a multiple of 32").range(32, 4096);
  t.add("encoder_epochs", encoder_epochs, "of the encoder alone; left out when weights are given")
      .range(0, 100000);
  t.add("encoder_batch", encoder_batch, "images a step in them").range(2, 4096);
  t.add("epochs", epochs, "of the whole network").range(1, 100000);
  t.add("batch", batch, "images a step in them").range(2, 4096);
  t.add("lr", lr, "learning rate at the beginning; 0: 7.5e-4 for cross_entropy, 5e-4 for lovasz").range(0, 1);
  t.add("augment.warp", augment.warp, "rotation, scale and shift");
  t.add("augment.flip", augment.flip, "mirrored half of the time");
  t.add("augment.colour", augment.colour, "saturation, brightness, contrast, sharpness");
  t.add("augment.blur", augment.blur, "Gaussian, median or box");
  t.add("augment.noise", augment.noise, "Gaussian noise");
}

std::vector<MatteStage> matte_stages(const MatteTrainOptions& o) {
  const double lr = o.lr > 0 ? o.lr : o.loss == "lovasz" ? 5e-4 : 7.5e-4;
  std::vector<MatteStage> stages;
  if (o.encoder_epochs > 0) stages.push_back({"encoder", true, 8, 5, o.encoder_epochs, o.encoder_batch, lr});
  if (o.epochs > 0) stages.push_back({"whole network", false, 1, 15, o.epochs, o.batch, lr});
  return stages;
}

double matte_learning_rate(const MatteStage& stage, int64_t epoch) {
  if (2 * epoch < stage.epochs) return stage.lr;
  return 6 * epoch < 5 * stage.epochs ? stage.lr / 2 : stage.lr / 4;
}

std::vector<ParameterGroup> sinet_groups(const Sinet& net, bool encoder_only) {
  std::vector<ParameterGroup> groups{{{}, 0}, {{}, 2e-4}, {{}, 2e-6}};
  for (const NamedTensor& t : net.tensors().all()) {
    if (!t.trainable || (encoder_only && !t.name.starts_with("encoder."))) continue;
    const size_t group = is_depthwise(t.value) ? 0 : is_convolution(t.value) ? 1 : 2;
    groups[group].parameters.push_back(t);
  }
  return groups;
}

at::Tensor matte_stage_loss(Sinet& net, const MatteStage& stage, const at::Tensor& inputs,
                            const at::Tensor& labels, const MatteTrainOptions& options,
                            const at::Tensor& weights) {
  MatteLossOptions loss;
  loss.kind = options.loss;
  loss.boundary_weight = options.boundary_weight;
  loss.boundary_side = stage.boundary_side;
  loss.class_weights = weights;
  const at::Tensor logits = stage.encoder_only ? net.encode(inputs, true) : net.forward(inputs, true).logits;
  return matte_loss(logits, coarse_labels(labels, stage.label_factor), loss);
}

}  // namespace perennial
