#include "perennial/learn/classifier_learner.h"

#include <chrono>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/nn/loss.h"
#include "perennial/nn/schedule.h"

namespace perennial {
namespace {

Augmentation resolve(const LearnerSetup& setup, const std::string& own) {
  if (setup.model.freeze == "features") return {};
  if (setup.train.augment != "auto") return Augmentation::parse(setup.train.augment);
  if (setup.is_digits) return {};
  return Augmentation::parse(own.empty() ? "crop,flip" : "crop,flip," + own);
}

}  // namespace

ClassifierLearner::ClassifierLearner(const LearnerSetup& setup, HeadKind head,
                                     const std::string& augmentation)
    : setup_(setup),
      head_kind_(head),
      augmentation_(resolve(setup, augmentation)),
      net_(setup.model, head, setup.input_shape, setup.normalisation, setup.compute, setup.seed),
      optimiser_(parameter_groups(), setup.train.optimiser),
      order_(setup.seed, "epoch order") {}

std::vector<ParameterGroup> ClassifierLearner::parameter_groups() const {
  return {{net_.parameters(), setup_.train.weight_decay}};
}

void ClassifierLearner::fresh_optimiser() {
  optimiser_ = Optimiser(parameter_groups(), setup_.train.optimiser);
}

int64_t ClassifierLearner::memory_batch() const {
  return setup_.train.memory_batch > 0 ? setup_.train.memory_batch
                                       : std::max<int64_t>(2, setup_.train.batch / 2);
}

void ClassifierLearner::timed(const std::string& kind, const std::function<void()>& work) {
  const double outer = std::exchange(nested_seconds_, 0.0);
  const auto start = std::chrono::steady_clock::now();
  const auto account = [&] {
    const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    seconds_[kind] += spent - nested_seconds_;
    nested_seconds_ = outer + spent;
  };
  try {
    work();
  } catch (...) {
    account();
    throw;
  }
  account();
}

void ClassifierLearner::begin_task() {
  if (setup_.train.reset_head && task_ > 0)
    net_.reset_head(head_kind_, labels_.size(), static_cast<uint64_t>(task_));
  fresh_optimiser();
}

void ClassifierLearner::receive(const Samples& batch) {
  if (!in_task_) {
    in_task_ = true;
    begin_task();
  }
  if (!labels_.add(batch.labels())) return;
  net_.grow(labels_.size());
  optimiser_.replace(parameter_groups());
}

void ClassifierLearner::train_step(const Samples& batch, double lr) {
  if (batch.size() < 2) return;
  const at::Tensor rows = labels_.rows(batch.tensor(column::kLabel));
  const auto position = static_cast<uint64_t>(step_);
  NetworkInput inputs = batch;
  CutMix mix;
  if (inputs.column == column::kImage) {
    inputs.rows = augment(inputs.rows, batch.ids(), augmentation_, setup_.seed, position);
    if (augmentation_.cutmix) {
      mix = cutmix(inputs.rows, setup_.seed, position);
      inputs.rows = mix.images;
    }
  }
  const at::Tensor logits = net_.train_logits(inputs);
  at::Tensor loss = cross_entropy(logits, rows);
  if (mix.lambda < 1.0) {
    const at::Tensor partner = rows.index_select(0, at::tensor(mix.partner));
    loss = loss * mix.lambda + cross_entropy(logits, partner) * (1.0 - mix.lambda);
  }
  if (const at::Tensor extra = penalty(); extra.defined()) loss = loss + extra;
  loss.backward();
  optimiser_.step(lr);
  if (setup_.on_step) setup_.on_step({step_, lr, loss.item<double>()});
  ++step_;
}

double ClassifierLearner::scheduled_lr(int64_t epoch, int64_t step, int64_t steps) const {
  return learning_rate(setup_.train.schedule, setup_.train.lr, epoch, setup_.train.epochs, step, steps);
}

void ClassifierLearner::train_epoch(const Samples& data, int64_t batch, int64_t epoch, Progress& progress) {
  train_epoch(data.size(), batch, epoch, progress,
              [&](std::span<const int64_t> rows) { return take(data, rows); });
}

void ClassifierLearner::train_epoch(int64_t samples, int64_t batch, int64_t epoch, Progress& progress,
                                    const std::function<Samples(std::span<const int64_t>)>& batch_of) {
  order_.run(samples, batch, step_, piece_name(piece_), progress,
             [&](std::span<const int64_t> rows, int64_t index, int64_t batches) {
               train_step(batch_of(rows), scheduled_lr(epoch, index, batches));
             });
}

bool ClassifierLearner::consolidate(Progress& progress) {
  const int64_t all = pieces();
  if (piece_ < all) run_piece(piece_, progress);
  if (++piece_ < all) return true;
  piece_ = 0;
  in_task_ = false;
  end_task();
  ++task_;
  return false;
}

at::Tensor ClassifierLearner::predict(const Samples& samples) {
  const at::Tensor probabilities = at::softmax(net_.logits(samples), 1);
  return labels_.scatter(probabilities, setup_.labels, 0.0);
}

void ClassifierLearner::save(State& state, const std::string& prefix) const {
  net_.save(state.tensors, prefix + "net.");
  optimiser_.save(state.tensors, prefix + "optimiser.");
  state.values[prefix + "optimiser"] = setup_.train.optimiser.name;
  labels_.save(state, prefix + "label_map.");
  state.values[prefix + "head_position"] = net_.head_position();
  state.values[prefix + "task"] = task_;
  state.values[prefix + "step"] = step_;
  state.values[prefix + "piece"] = piece_;
  state.values[prefix + "in_task"] = in_task_;
  order_.save(state, prefix);
  state.values[prefix + "seconds"] = seconds_;
}

void ClassifierLearner::load(const State& state, const std::string& prefix) {
  labels_.load(state, prefix + "label_map.");
  net_.reset_head(head_kind_, labels_.size(), state.values.value(prefix + "head_position", uint64_t{0}));
  net_.load(state.tensors, prefix + "net.", state.source);
  fresh_optimiser();
  const bool named = state.values.contains(prefix + "optimiser");  // older versions knew one
  if (named && state.value<std::string>(prefix + "optimiser") != setup_.train.optimiser.name)
    throw Error(
        {"reading a saved state", state.source, "the optimiser " + setup_.train.optimiser.name, "another"});
  optimiser_.load(state.tensors, prefix + (named ? "optimiser." : "sgd."), state.source);
  task_ = state.value<int64_t>(prefix + "task");
  step_ = state.value<int64_t>(prefix + "step");
  piece_ = state.value<int64_t>(prefix + "piece");
  in_task_ = state.value<bool>(prefix + "in_task");
  order_.load(state, prefix);
  seconds_ = state.value<std::map<std::string, double>>(prefix + "seconds");
}

TensorFile ClassifierLearner::model() const {
  TensorFile file;
  net_.save(file.tensors, "");
  std::string labels;
  for (const int64_t label : labels_.labels()) labels += (labels.empty() ? "" : ",") + std::to_string(label);
  const Normalisation& n = net_.normalisation();
  file.metadata = {{"model", setup_.model.name},
                   {"width", fmt::format("{}", setup_.model.width)},
                   {"labels", labels},
                   {"mean", fmt::format("{},{},{}", n.mean[0], n.mean[1], n.mean[2])},
                   {"std", fmt::format("{},{},{}", n.std[0], n.std[1], n.std[2])}};
  return file;
}

}  // namespace perennial
