#include "perennial/learn/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/learn/droptop.h"
#include "perennial/nn/schedule.h"

namespace perennial {
namespace {

// Of vectors, and of the features that are all a frozen network is shown, nothing is cropped.
Augmentation resolve(const LearnerSetup& setup, const TrainerParts& parts) {
  const bool vectors = setup.model.freeze == "features" || setup.input_shape.size() == 1;
  std::string wanted = setup.train.augment;
  if (wanted == "auto") {
    const std::string& own = parts.augmentation;
    wanted = vectors           ? parts.vector_augmentation
             : setup.is_digits ? "none"
                               : "crop,flip" + (own.empty() ? "" : "," + own);
  }
  const Augmentation what = Augmentation::parse(wanted);
  return vectors ? what.of_vectors() : what.of_images();
}

std::vector<std::unique_ptr<Plugin>> make_plugins(const LearnerSetup& setup) {
  std::vector<std::unique_ptr<Plugin>> all;
  if (setup.train.debias.name == "droptop")
    all.push_back(std::make_unique<DropTop>(setup, setup.train.debias));
  std::set<std::string> names;
  for (const MakePlugin& make : setup.plugins) all.push_back(make(setup));
  for (const auto& plugin : all)
    if (!names.insert(plugin->name()).second)
      throw std::invalid_argument("two plug-ins named '" + plugin->name() + "'");
  return all;
}

at::Tensor probabilities(const Classifier& net, const Readout* readout, const LabelMap& labels,
                         const std::vector<int64_t>& to_come, int64_t width, const Samples& samples) {
  at::Tensor logits = readout != nullptr ? readout->logits(net, samples) : net.logits(samples);
  if (!to_come.empty())
    logits = logits.index_fill(1, at::tensor(to_come), -std::numeric_limits<double>::infinity());
  return labels.scatter(at::softmax(logits, 1), width, 0.0);
}

class ClassifierSnapshot : public Predictor {
 public:
  ClassifierSnapshot(Classifier net, std::shared_ptr<const Readout> readout, LabelMap labels,
                     std::vector<int64_t> to_come, int64_t width)
      : net_(std::move(net)),
        readout_(std::move(readout)),
        labels_(std::move(labels)),
        to_come_(std::move(to_come)),
        width_(width) {}
  at::Tensor predict(const Samples& samples) const override {
    return probabilities(net_, readout_.get(), labels_, to_come_, width_, samples);
  }

 private:
  Classifier net_;
  std::shared_ptr<const Readout> readout_;
  LabelMap labels_;
  std::vector<int64_t> to_come_;
  int64_t width_;
};

}  // namespace

Trainer::Trainer(const LearnerSetup& setup, TrainerParts parts)
    : setup_(setup),
      parts_(std::move(parts)),
      plugins_(make_plugins(setup)),
      augmentation_(resolve(setup, parts_)),
      net_(setup.model, parts_.head, setup.input_shape, setup.normalisation, setup.compute, setup.seed),
      optimiser_(groups(), setup.train.optimiser),
      order_(setup.seed, "epoch order"),
      last_loss_(std::numeric_limits<double>::quiet_NaN()) {}

std::vector<ParameterGroup> Trainer::groups() const {
  if (parts_.groups) return parts_.groups(net_);
  return {{net_.parameters(), setup_.train.weight_decay}};
}

void Trainer::fresh_optimiser() { optimiser_ = Optimiser(groups(), setup_.train.optimiser); }

int64_t Trainer::memory_batch() const {
  return setup_.train.memory_batch > 0 ? setup_.train.memory_batch
                                       : std::max<int64_t>(2, setup_.train.batch / 2);
}

void Trainer::meet(std::span<const int64_t> labels) {
  if (setup_.train.whole_head && labels_.size() == 0 && setup_.labels > 0) {
    std::vector<int64_t> all(static_cast<size_t>(setup_.labels));
    std::iota(all.begin(), all.end(), 0);
    labels_.add(all);
    to_come_ = all;
    net_.grow(labels_.size());
    optimiser_.replace(groups());
    ++version_;
  }
  const auto met = [&](int64_t row) {
    const int64_t label = labels_.labels()[static_cast<size_t>(row)];
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  };
  if (!to_come_.empty()) std::erase_if(to_come_, met);
  if (!labels_.add(labels)) return;
  net_.grow(labels_.size());
  optimiser_.replace(groups());
  ++version_;
}

void Trainer::begin_task(int64_t task) {
  if (setup_.train.reset_head && task > 0) {
    net_.reset_head(parts_.head, labels_.size(), static_cast<uint64_t>(task));
    ++version_;
  }
  fresh_optimiser();
}

void Trainer::restart(int64_t task) {
  net_.reset(static_cast<uint64_t>(task));
  fresh_optimiser();
  ++version_;
}

void Trainer::step(const Samples& batch, double lr) {
  if (batch.size() >= 2) step(batch, Targets::of(batch, labels_), lr);
}

void Trainer::step(const Samples& batch, Targets targets, double lr) {
  if (batch.size() < 2) return;
  const Prepared made = prepare(batch, std::move(targets));
  step(batch, made.inputs, made.targets, lr,
       [](const StepView& step) { return step.targets.mean_loss(step.outputs.logits); });
}

NetworkInput Trainer::view(const Samples& batch, const Augmentation& how) const {
  NetworkInput inputs = batch;
  inputs.rows = augment(batch, how, setup_.seed, static_cast<uint64_t>(steps_)).tensor(inputs.column);
  return inputs;
}

Prepared Trainer::mixed(NetworkInput inputs, Targets targets, const Augmentation& how) const {
  Prepared made{std::move(inputs), std::move(targets)};
  if (!how.cutmix && !how.mixup) return made;
  const auto mix = how.cutmix ? cutmix : mixup;
  Mixture mixed = mix(made.inputs.rows, setup_.seed, static_cast<uint64_t>(steps_));
  made.inputs.rows = std::move(mixed.inputs);
  made.targets.partner = std::move(mixed.partner);
  made.targets.lambda = mixed.lambda;
  return made;
}

Outputs Trainer::forward(const Samples& batch, const NetworkInput& inputs) {
  if (plugins_.empty()) return net_.train_outputs(inputs, {}, statistics_);
  const auto hook = [&](const Stage& stage, at::Tensor map) {
    for (const auto& plugin : plugins_)
      map = plugin->feature_map({stage, batch, steps_, setup_.seed}, std::move(map));
    return map;
  };
  return net_.train_outputs(inputs, hook, statistics_);
}

double Trainer::backward(const Samples& batch, const Prepared& made) {
  const Outputs out = forward(batch, made.inputs);
  const StepView view(batch, made.inputs, made.targets, out, net_, steps_);
  const at::Tensor loss = with_terms(view, made.targets.mean_loss(out.logits));
  loss.backward();
  return loss.item<double>();
}

at::Tensor Trainer::with_terms(const StepView& step, at::Tensor loss) {
  for (const auto& term : parts_.terms)
    if (const at::Tensor extra = term->of(step); extra.defined()) loss = loss + extra;
  return loss;
}

void Trainer::apply(const Samples& batch, double loss, double lr) {
  for (const auto& term : parts_.terms) term->see_gradients(net_);
  optimiser_.step(lr);
  ++version_;
  last_loss_ = loss;
  if (setup_.on_step) setup_.on_step({steps_, lr, loss});
  for (const auto& plugin : plugins_) plugin->after_step({net_, labels_, memory_, batch, steps_});
  ++steps_;
  if (parts_.after_step) parts_.after_step(*this);
}

void Trainer::step(const Samples& batch, const NetworkInput& inputs, const Targets& targets, double lr,
                   const Loss& loss_of) {
  const Outputs outputs = forward(batch, inputs);
  const StepView view(batch, inputs, targets, outputs, net_, steps_);
  const at::Tensor loss = with_terms(view, loss_of(view));
  loss.backward();
  apply(batch, loss.item<double>(), lr);
}

double Trainer::scheduled_lr(int64_t epoch, int64_t step, int64_t steps) const {
  return learning_rate(setup_.train.schedule, setup_.train.lr, epoch, setup_.train.epochs, step, steps);
}

void Trainer::epoch(const Samples& data, int64_t batch, int64_t number, const std::string& title,
                    Progress& progress) {
  epoch(data.size(), batch, number, title, progress,
        [&](std::span<const int64_t> rows, double lr) { step(take(data, rows), lr); });
}

void Trainer::epoch(int64_t samples, int64_t batch, int64_t number, const std::string& title,
                    Progress& progress,
                    const std::function<void(std::span<const int64_t> rows, double lr)>& step_on) {
  order_.run(samples, batch, steps_, title, progress,
             [&](std::span<const int64_t> rows, int64_t index, int64_t batches) {
               step_on(rows, scheduled_lr(number, index, batches));
             });
}

at::Tensor Trainer::predict(const Samples& samples) const {
  return probabilities(net_, readout_.get(), labels_, to_come_, setup_.labels, samples);
}

std::shared_ptr<const Predictor> Trainer::snapshot() const {
  std::shared_ptr<const Readout> readout = readout_ ? readout_->snapshot() : nullptr;
  return std::make_shared<ClassifierSnapshot>(net_.clone(), readout ? readout : readout_, labels_, to_come_,
                                              setup_.labels);
}

void Trainer::save(State& state, const std::string& prefix) const {
  net_.save_learned(state.tensors, prefix + "net.");
  optimiser_.save(state.tensors, prefix + "optimiser.");
  state.put(prefix + "optimiser", setup_.train.optimiser.name);
  labels_.save(state, prefix + "label_map.");
  if (!to_come_.empty()) state.put_ints(prefix + "to_come", to_come_);
  state.put(prefix + "head_position", net_.head_position());
  state.put(prefix + "step", steps_);
  if (std::isfinite(last_loss_)) state.put(prefix + "last_loss", last_loss_);
  order_.save(state, prefix);
  for (const auto& term : parts_.terms) term->save(state, prefix);
  for (const auto& plugin : plugins_) plugin->save(state, prefix + "plugin." + plugin->name() + ".");
}

void Trainer::load(const State& state, const std::string& prefix) {
  labels_.load(state, prefix + "label_map.");
  to_come_.clear();
  if (state.has_tensor(prefix + "to_come")) to_come_ = state.ints(prefix + "to_come");
  net_.reset_head(parts_.head, labels_.size(), state.value_or(prefix + "head_position", uint64_t{0}));
  net_.load(state.tensors, prefix + "net.", state.source);
  fresh_optimiser();
  const bool named = state.has_value(prefix + "optimiser");  // older versions knew one
  if (named && state.value<std::string>(prefix + "optimiser") != setup_.train.optimiser.name)
    throw Error(
        {"reading a saved state", state.source, "the optimiser " + setup_.train.optimiser.name, "another"});
  optimiser_.load(state.tensors, prefix + (named ? "optimiser." : "sgd."), state.source);
  steps_ = state.value<int64_t>(prefix + "step");
  last_loss_ = state.value_or(prefix + "last_loss", std::numeric_limits<double>::quiet_NaN());
  order_.load(state, prefix);
  for (const auto& term : parts_.terms) term->load(state, prefix, net_);
  for (const auto& plugin : plugins_) plugin->load(state, prefix + "plugin." + plugin->name() + ".");
  ++version_;
}

TensorFile Trainer::model() const {
  TensorFile file;
  const Classifier* const predicts = readout_ ? readout_->network() : nullptr;
  (predicts != nullptr ? *predicts : net_).save(file.tensors, "");
  std::string labels;
  for (const int64_t label : labels_.labels()) labels += (labels.empty() ? "" : ",") + std::to_string(label);
  const Normalisation& n = net_.normalisation();
  file.metadata = {{"model", setup_.model.name},
                   {"width", fmt::format("{}", setup_.model.width)},
                   {"labels", labels},
                   {"mean", fmt::format("{},{},{}", n.mean[0], n.mean[1], n.mean[2])},
                   {"std", fmt::format("{},{},{}", n.std[0], n.std[1], n.std[2])}};
  if (readout_ && predicts == nullptr) file.metadata["readout"] = readout_->name();
  if (setup_.model.neck > 0) file.metadata["neck"] = std::to_string(setup_.model.neck);
  return file;
}

}  // namespace perennial
