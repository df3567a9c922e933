#include "perennial/nn/classifier.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <fmt/ranges.h>

#include "perennial/base/error.h"
#include "perennial/base/random.h"
#include "perennial/base/text.h"
#include "perennial/io/weights.h"
#include "perennial/nn/autocast.h"
#include "perennial/nn/device.h"
#include "perennial/nn/init.h"
#include "perennial/nn/load_weights.h"
#include "perennial/nn/normalise.h"

namespace perennial {
namespace {

// Rows at once on the CPU: beyond these many pixels the activations come from fresh pages for every layer,
// which costs up to a third of the time (ResNet-32: 1334 images a second with 128 rows, 846 with 512).
int64_t rows_at_once(const at::Tensor& inputs, int64_t batch, c10::Device device) {
  constexpr int64_t kPixels = 1 << 17, kLeast = 4;
  if (!device.is_cpu() || inputs.dim() != 4) return batch;
  const int64_t pixels = std::max<int64_t>(1, inputs.size(2) * inputs.size(3));
  return std::min(batch, std::max(kLeast, kPixels / pixels));
}

at::Tensor to_tensor(const Normalisation& n) {
  at::Tensor t = at::empty({2, 3}, at::kDouble);
  auto* values = t.mutable_data_ptr<double>();
  std::copy(n.mean.begin(), n.mean.end(), values);
  std::copy(n.std.begin(), n.std.end(), values + 3);
  return t;
}

// What the network sees: images have three channels once normalised.
std::vector<int64_t> network_shape(at::IntArrayRef input_shape) {
  std::vector<int64_t> shape = input_shape.vec();
  if (shape.size() == 3) shape[0] = 3;
  return shape;
}

Normalisation to_normalisation(const at::Tensor& t) {
  Normalisation n;
  const at::Tensor values = t.to(at::kDouble).contiguous();
  const auto* v = values.const_data_ptr<double>();
  std::copy(v, v + 3, n.mean.begin());
  std::copy(v + 3, v + 6, n.std.begin());
  return n;
}

}  // namespace

Classifier::Classifier(const ModelOptions& model, HeadKind head, at::IntArrayRef input_shape,
                       const Normalisation& normalisation, const Compute& compute, uint64_t seed)
    : model_(model),
      input_shape_(input_shape.vec()),
      normalisation_(normalisation),
      compute_(compute),
      seed_(seed),
      backbone_(make_backbone(model, network_shape(input_shape), seed)),
      head_(head, model.neck > 0 ? model.neck : backbone_->feature_size(), 0, seed) {
  require_device(compute);
  require_known("dtype", compute.dtype, {"float32", "bfloat16"});
  require_known("model.freeze", model.freeze, {"none", "features"});
  if (model.neck > 0 && !frozen())
    throw std::invalid_argument("model.neck: a layer behind frozen features; needs model.freeze = features");
  const Normalisation* own = backbone_->own_normalisation();
  if (own != nullptr && !model.weights.empty()) normalisation_ = *own;
  backbone_->tensors().to(device());
  head_.tensors().to(device());
  make_neck(seed);
}

c10::Device Classifier::device() const { return c10::Device(compute_.device); }

at::ScalarType Classifier::dtype() const { return compute_.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat; }

NetworkInput::NetworkInput(const Samples& samples)
    : column(samples.has(column::kFeature)  ? column::kFeature
             : samples.has(column::kVector) ? column::kVector
                                            : column::kImage),
      rows(samples.tensor(column)) {}

at::Tensor Classifier::prepare(const at::Tensor& inputs) const {
  if (inputs.is_floating_point()) return inputs.to(device(), at::kFloat);
  return normalise(inputs, normalisation_, device());
}

at::Tensor Classifier::infer_features(const NetworkInput& inputs) const {
  const at::Tensor x = prepare(inputs.rows);
  const at::Tensor features = inputs.are_features() ? known_features(x) : backbone_->infer(x);
  return neck_ ? neck_->forward(features, false) : features;
}

void Classifier::make_neck(uint64_t seed) {
  if (model_.neck == 0) return;
  neck_tensors_ = TensorList();
  const Scope neck{neck_tensors_, seed, "neck"};
  neck_ = std::make_unique<LinearNorm>(neck / "linear", neck / "bn", backbone_->feature_size(), model_.neck,
                                       NormOptions{.eps = 1e-6}, Activation::kRelu);
  neck_tensors_.to(device());
}

at::Tensor Classifier::known_features(const at::Tensor& x) const {
  if (x.dim() == 2 && x.size(1) == backbone_->feature_size()) return x;
  throw std::invalid_argument(fmt::format("features [{}] for a model of {} a row", fmt::join(x.sizes(), ", "),
                                          backbone_->feature_size()));
}

Outputs Classifier::train_outputs(const NetworkInput& inputs, const StageHook& hook, Statistics statistics) {
  const bool of_batch = statistics == Statistics::kOfBatch;
  if (of_batch && inputs.rows.size(0) < 2)
    throw std::invalid_argument("training takes two samples or more at a time");
  const Autocast autocast(device().type(), dtype());
  if (!frozen()) {
    if (inputs.are_features())
      throw std::invalid_argument("features train the head alone: that needs model.freeze = features");
    const at::Tensor features = backbone_->forward(prepare(inputs.rows), of_batch, hook);
    return {features, head_.forward(features, of_batch).to(at::kFloat)};
  }
  at::Tensor features;
  {
    const at::NoGradGuard no_grad;
    const at::Tensor x = prepare(inputs.rows);
    features = inputs.are_features() ? known_features(x) : backbone_->forward(x, false);
  }
  if (neck_) features = neck_->forward(features, of_batch);
  return {features, head_.forward(features, of_batch).to(at::kFloat)};
}

at::Tensor Classifier::batch_statistics_logits(const NetworkInput& inputs) {
  const at::NoGradGuard no_grad;
  std::vector<const TensorList*> learning{&neck_tensors_, &head_.tensors()};
  if (!frozen()) learning.push_back(&backbone_->tensors());
  std::vector<std::pair<at::Tensor, at::Tensor>> running;
  for (const TensorList* own : learning)
    for (const NamedTensor& tensor : own->all())
      if (!tensor.trainable) running.emplace_back(tensor.value, tensor.value.clone());
  at::Tensor logits = train_outputs(inputs).logits;
  for (const auto& [value, before] : running) value.copy_(before);
  return logits.to(at::kCPU);
}

template <class Rows>
at::Tensor Classifier::in_batches(const NetworkInput& inputs, int64_t batch, int64_t columns,
                                  Rows rows) const {
  if (batch < 1) throw std::invalid_argument("a batch has at least one row");
  const int64_t n = inputs.rows.size(0);
  batch = rows_at_once(inputs.rows, batch, device());
  at::Tensor out = at::empty({n, columns}, at::kFloat);  // made outside: training may use it
  const c10::InferenceMode inference;
  const Autocast autocast(device().type(), dtype());
  NetworkInput some = inputs;
  for (int64_t i = 0; i < n; i += batch) {
    const int64_t count = std::min(batch, n - i);
    some.rows = inputs.rows.narrow(0, i, count);
    out.narrow(0, i, count).copy_(rows(some));
  }
  return out;
}

at::Tensor Classifier::logits(const NetworkInput& inputs, int64_t batch) const {
  return in_batches(inputs, batch, classes(),
                    [&](const NetworkInput& rows) { return head_.infer(infer_features(rows)); });
}

at::Tensor Classifier::features(const NetworkInput& inputs, int64_t batch) const {
  return in_batches(inputs, batch, feature_size(),
                    [&](const NetworkInput& rows) { return infer_features(rows); });
}

at::Tensor Classifier::logits_of_features(const at::Tensor& features, int64_t batch) const {
  NetworkInput inputs(features);
  inputs.column = column::kFeature;
  return in_batches(inputs, batch, classes(),
                    [&](const NetworkInput& rows) { return head_.infer(rows.rows.to(device())); });
}

Classifier Classifier::clone() const {
  ModelOptions drawn_from_nothing = model_;
  drawn_from_nothing.weights.clear();
  Classifier copy(drawn_from_nothing, head_.kind(), input_shape_, normalisation_, compute_, kNotDrawn);
  copy.head_ = Head(head_.kind(), head_.feature_size(), classes(), kNotDrawn, head_.position());
  copy.head_.tensors().to(device());
  copy.head_.tensors().copy(head_.tensors());
  copy.neck_tensors_.copy(neck_tensors_);
  if (has_frozen_file())
    copy.backbone_->tensors().share(backbone_->tensors());
  else
    copy.backbone_->tensors().copy(backbone_->tensors());
  return copy;
}

void Classifier::move_towards(const Classifier& other, double share) {
  head_.tensors().move_towards(other.head_.tensors(), share);
  neck_tensors_.move_towards(other.neck_tensors_, share);
  if (!frozen()) backbone_->tensors().move_towards(other.backbone_->tensors(), share);
}

void Classifier::grow(int64_t classes) { head_.grow(classes); }

void Classifier::grow_like(const Classifier& other) {
  const int64_t known = classes();
  if (known >= other.classes()) return;
  head_.grow(other.classes());
  head_.tensors().copy_rows(other.head_.tensors(), known);
}

void Classifier::place_head(HeadKind kind, int64_t classes, uint64_t seed, uint64_t position) {
  head_ = Head(kind, feature_size(), classes, seed, position);
  head_.tensors().to(device());
}

void Classifier::reset_head(HeadKind kind, int64_t classes, uint64_t position) {
  place_head(kind, classes, seed_, position);
}

void Classifier::reset(uint64_t position) {
  const uint64_t seed = position == 0 ? seed_ : mix64(seed_, position);
  backbone_ = make_backbone(model_, network_shape(input_shape_), seed);
  backbone_->tensors().to(device());
  make_neck(seed);
  place_head(head_.kind(), classes(), seed_, position);
}

bool Classifier::load_pretrained_head() {
  if (model_.weights.empty() || head_.kind() != HeadKind::kLinear) return false;
  const TrainedWeights file = read_weights(model_.weights);
  for (const std::string prefix : {"linear.", "fc.", "_fc.", "head."}) {
    const auto weight = file.tensors.find(prefix + "weight"), bias = file.tensors.find(prefix + "bias");
    if (weight == file.tensors.end() || bias == file.tensors.end()) continue;
    if (weight->second.sizes() != at::IntArrayRef{classes(), head_.feature_size()}) continue;
    load_weights(head_.tensors(), file.tensors, prefix, file.source);
    return true;
  }
  return false;
}

std::vector<NamedTensor> Classifier::parameters() const {
  std::vector<NamedTensor> all =
      frozen() ? neck_tensors_.trainable("") : backbone_->tensors().trainable("backbone.");
  for (NamedTensor& t : head_.tensors().trainable("head.")) all.push_back(std::move(t));
  return all;
}

void Classifier::save(TensorMap& out, const std::string& prefix) const {
  backbone_->tensors().save(out, prefix + "backbone.");
  save_head(out, prefix);
}

void Classifier::save_learned(TensorMap& out, const std::string& prefix) const {
  if (has_frozen_file())
    save_head(out, prefix);
  else
    save(out, prefix);
}

void Classifier::save_head(TensorMap& out, const std::string& prefix) const {
  head_.tensors().save(out, prefix + "head.");
  neck_tensors_.save(out, prefix);
  out[prefix + "normalisation"] = to_tensor(normalisation_);
}

void Classifier::load(const TensorMap& in, const std::string& prefix, const std::string& source) {
  const auto weight = in.find(prefix + "head.weight"), normalisation = in.find(prefix + "normalisation");
  if (weight == in.end() || weight->second.dim() != 2)
    throw Error({"loading weights", source, prefix + "head.weight [classes, features]", "no such tensor"});
  if (normalisation == in.end() || normalisation->second.sizes() != at::IntArrayRef{2, 3})
    throw Error({"loading weights", source, prefix + "normalisation [2, 3]", "no such tensor"});
  const HeadKind kind = in.contains(prefix + "head.bias") ? HeadKind::kLinear : HeadKind::kLinearNorm;
  Head head(kind, feature_size(), weight->second.size(0), seed_, head_.position());
  head.tensors().load(in, prefix + "head.", source);
  neck_tensors_.load(in, prefix, source);
  const auto first = in.lower_bound(prefix + "backbone.");
  const bool has_backbone = first != in.end() && first->first.starts_with(prefix + "backbone.");
  if (has_backbone || !has_frozen_file()) backbone_->tensors().load(in, prefix + "backbone.", source);
  head_ = std::move(head);
  head_.tensors().to(device());
  normalisation_ = to_normalisation(normalisation->second);
}

}  // namespace perennial
