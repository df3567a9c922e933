#include "perennial/nn/backbone.h"

#include <functional>
#include <stdexcept>

#include <ATen/core/grad_mode.h>

#include "perennial/base/error.h"
#include "perennial/base/options.h"
#include "perennial/base/text.h"
#include "perennial/io/weights.h"
#include "perennial/nn/backbones.h"
#include "perennial/nn/load_weights.h"

namespace perennial {
namespace {

struct Entry {
  const char* name;
  bool takes_features;
  std::function<std::unique_ptr<Backbone>(int64_t inputs, double width, uint64_t seed)> make;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      {"mlp400", true, make_mlp400},
      {"resnet18", false, [](int64_t, double width, uint64_t seed) { return make_resnet18(width, seed); }},
      {"resnet20", false, [](int64_t, double width, uint64_t seed) { return make_resnet20(width, seed); }},
      {"resnet32", false, [](int64_t, double width, uint64_t seed) { return make_resnet32(width, seed); }},
      {"resnet34", false, [](int64_t, double width, uint64_t seed) { return make_resnet34(width, seed); }},
      {"efficientnet_lite0", false,
       [](int64_t, double width, uint64_t seed) { return make_efficientnet_lite0(width, seed); }},
      {"identity", true, [](int64_t inputs, double, uint64_t) { return make_identity(inputs); }},
  };
  return all;
}

const Entry& entry(const std::string& name) {
  for (const Entry& e : entries())
    if (e.name == name) return e;
  throw std::invalid_argument("unknown model '" + name + "'" + suggestion(name, backbone_names()));
}

void load_backbone(Backbone& backbone, const ModelOptions& options) {
  const TrainedWeights file = read_weights(options.weights);
  if (backbone.tensors().all().empty()) return;
  // A file of ours names the whole classifier; a published one the backbone.
  const bool ours = file.tensors.contains("backbone." + backbone.tensors().all().front().name);
  load_weights(backbone.tensors(), file.tensors, ours ? "backbone." : "", file.source,
               options.freeze == "features" ? Weights::kStay : Weights::kLearn);
}

}  // namespace

at::Tensor Backbone::forward(const at::Tensor& x, bool training, const StageHook& hook) {
  const std::vector<std::string> names = stages();
  at::Tensor map = x;
  for (size_t i = 0; i < names.size(); ++i) {
    map = run_stage(i, std::move(map), training);
    if (hook) map = hook({*this, i, names[i]}, std::move(map));
  }
  return pool(map);
}

at::Tensor Backbone::infer(const at::Tensor& x) const {
  const at::NoGradGuard no_grad;
  return const_cast<Backbone*>(this)->forward(x, false);  // run_stage() promises that this changes nothing
}

void ModelOptions::bind(OptionTable& table) {
  table.add("model", name, "network").choices(backbone_names());
  table.add("model.width", width, "factor on the channel counts, rounded to a multiple of 8").range(0.01, 16);
  table.add("model.weights", weights, "safetensors file with weights to start from");
  table.add("model.freeze", freeze, "features: keep the backbone as it is and train the head alone")
      .choices({"none", "features"});
  table
      .add("model.neck", neck,
           "behind frozen features: width of a layer (linear, BatchNorm, ReLU) that learns with the head; 0: "
           "none")
      .range(0, 65536);
}

std::vector<std::string> backbone_names() {
  std::vector<std::string> names;
  for (const Entry& e : entries()) names.emplace_back(e.name);
  return names;
}

int64_t preferred_image_size(const std::string& name) {
  return name == "efficientnet_lite0" || name == "resnet34" ? 224 : 0;
}

std::unique_ptr<Backbone> make_backbone(const ModelOptions& options, at::IntArrayRef input_shape,
                                        uint64_t seed) {
  const Entry& chosen = entry(options.name);
  if (options.width <= 0) throw std::invalid_argument("model.width must be above 0");
  const bool image = input_shape.size() == 3;
  if (!image && input_shape.size() != 1)
    throw std::invalid_argument("a model takes images [channels, height, width] or features [size]");
  if (!image && !chosen.takes_features)
    throw std::invalid_argument("model '" + options.name + "' takes images, not features");
  int64_t inputs = 1;
  for (const int64_t size : input_shape) inputs *= size;
  auto backbone = chosen.make(inputs, options.width, seed);
  if (!options.weights.empty()) load_backbone(*backbone, options);
  return backbone;
}

}  // namespace perennial
