#include "perennial/tasks/segment/matte_learner.h"

#include <algorithm>
#include <span>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/data/augment.h"
#include "perennial/tasks/segment/matte_eval.h"
#include "perennial/tasks/segment/matte_loss.h"
#include "perennial/tasks/segment/sinet_preprocess.h"

namespace perennial {
namespace {

constexpr size_t kRows = 16;  // photographs at once where all are gone through

/// Calls `work` with the task's samples at the network's side, some at a time.
template <class Work>
void for_all(const Source& source, const std::vector<int64_t>& rows, int64_t side, Work work) {
  for (size_t first = 0; first < rows.size(); first += kRows) {
    const Samples some = source.get(std::span(rows).subspan(first, std::min(kRows, rows.size() - first)));
    work(augment(some, {.side = side}, 0, 0));
  }
}

class MattePredictor : public Predictor {
 public:
  explicit MattePredictor(std::unique_ptr<Sinet> net) : net_(std::move(net)) {}
  at::Tensor predict(const Samples& samples) const override {
    return predict_mattes(*net_, samples.tensor(column::kImage));
  }

 private:
  std::unique_ptr<Sinet> net_;
};

}  // namespace

MatteLearner::MatteLearner(const MatteConfig& config, std::function<void(const TrainingStep&)> on_step)
    : config_(config),
      seed_(static_cast<uint64_t>(config.run.seed)),
      on_step_(std::move(on_step)),
      memory_(MemoryBudget::parse(config.memory)),
      policy_(make_policy({}, seed_)),
      replay_(seed_),
      order_(seed_, "matte order") {
  SinetOptions net;
  net.variant = config.train.net;
  net.gate = config.train.gate;
  net.classes = config.train.classes;
  net.height = net.width = config.train.size;
  net_ = make_sinet(net, seed_);
}

void MatteLearner::task_data(const std::shared_ptr<const Source>& source, const std::vector<int64_t>& rows) {
  source_ = source;
  rows_ = rows;
}

std::vector<MatteStage> MatteLearner::stages_of_task() const {
  std::vector<MatteStage> stages = matte_stages(config_.train);
  if (task_ == 0) return stages;
  MatteStage update = stages.back();
  update.name = "update";
  update.lr = config_.update_lr > 0 ? config_.update_lr : update.lr / 4;
  update.epochs = config_.update_epochs;
  return {update};
}

int64_t MatteLearner::pieces() const {
  int64_t epochs = 0;
  for (const MatteStage& stage : stages_of_task()) epochs += stage.epochs;
  return epochs;
}

std::string MatteLearner::piece_name(int64_t i) const {
  for (const MatteStage& stage : stages_of_task()) {
    if (i < stage.epochs) return fmt::format("{}, epoch {}/{}", stage.name, i + 1, stage.epochs);
    i -= stage.epochs;
  }
  return "";
}

void MatteLearner::begin_task() {
  stages_ = stages_of_task();
  std::vector<at::Tensor> masks;
  for_all(*source_, rows_, config_.train.size,
          [&](const Samples& some) { masks.push_back(some.tensor(column::kMask)); });
  if (config_.learner == "er" && memory_.size() > 0) masks.push_back(memory_.samples().tensor(column::kMask));
  class_weights_ = class_weights(at::cat(masks).to(at::kLong), 2);
  stage_ = 0;
  epoch_ = 0;
  begin_stage();
  in_task_ = true;
}

void MatteLearner::begin_stage() {
  if (!trained())
    optimiser_ = std::make_unique<Optimiser>(sinet_groups(*net_, stage().encoder_only),
                                             OptimiserOptions{.name = "adam"});
}

bool MatteLearner::consolidate(Progress& progress) {
  if (!source_) throw std::logic_error("mattes are learned from a task's data");
  const double began = steady_seconds();
  if (!in_task_) begin_task();
  if (!trained()) train_epoch(progress);
  seconds_ += steady_seconds() - began;
  if (!trained()) return true;
  remember();
  in_task_ = false;
  ++task_;
  return false;
}

void MatteLearner::train_epoch(Progress& progress) {
  const auto count = std::ssize(rows_);
  const bool replays = config_.learner == "er" && memory_.size() > 0;
  const int64_t share = replays ? std::max<int64_t>(1, stage().batch / 2) : stage().batch;
  const double rate = matte_learning_rate(stage(), epoch_);
  order_.run(count, share, steps_, fmt::format("{}, epoch {}/{}", stage().name, epoch_ + 1, stage().epochs),
             progress, [&](std::span<const int64_t> some, int64_t, int64_t) {
               loss_sum_ += step(some) * static_cast<double>(some.size());
               ++steps_;
             });
  loss_ = loss_sum_ / static_cast<double>(count);
  loss_sum_ = 0;
  ++epochs_;
  if (++epoch_ == stage().epochs) {
    epoch_ = 0;
    ++stage_;
    begin_stage();
  }
  if (on_step_) on_step_({epochs_, rate, loss_});
}

double MatteLearner::step(std::span<const int64_t> fresh) {
  std::vector<int64_t> rows;
  for (const int64_t i : fresh) rows.push_back(rows_[static_cast<size_t>(i)]);
  Augmentation what = config_.train.augment;
  what.side = config_.train.size;
  const auto augmented = [&](const Samples& some) {
    return augment(some, what, seed_, static_cast<uint64_t>(steps_));
  };
  Samples batch = augmented(source_->get(rows));
  if (config_.learner == "er" && memory_.size() > 0)
    batch = concat(batch, augmented(memory_.take(replay_.next(std::ssize(fresh), memory_.size()))));
  const at::Tensor loss =
      matte_stage_loss(*net_, stage(), sinet_preprocess(batch.tensor(column::kImage)),
                       batch.tensor(column::kMask).to(at::kLong), config_.train,
                       config_.train.loss == "cross_entropy" ? class_weights_ : at::Tensor());
  loss.backward();
  optimiser_->step(matte_learning_rate(stage(), epoch_));
  return loss.item<double>();
}

// At the network's side.
void MatteLearner::remember() {
  for_all(*source_, rows_, config_.train.size, [&](const Samples& some) { policy_->offer(memory_, some); });
}

at::Tensor MatteLearner::predict(const Samples& samples) const {
  return predict_mattes(*net_, samples.tensor(column::kImage));
}

std::shared_ptr<const Predictor> MatteLearner::snapshot() const {
  TensorMap tensors;
  net_->tensors().save(tensors, "");
  auto copy = make_sinet(net_->options(), seed_);
  copy->tensors().load(tensors, "", "a snapshot");
  return std::make_shared<MattePredictor>(std::move(copy));
}

void MatteLearner::save(State& state, const std::string& prefix) const {
  const std::string trainer = prefix + "trainer.";
  net_->tensors().save(state.tensors, trainer + "net.");
  if (optimiser_) optimiser_->save(state.tensors, trainer + "optimiser.");
  state.put(trainer + "optimiser", std::string("adam"));
  if (class_weights_.defined()) state.tensors[trainer + "class_weights"] = class_weights_;
  replay_.save(state, trainer + "replay.");
  nlohmann::json stages = nlohmann::json::array();
  for (const MatteStage& s : stages_)
    stages.push_back({s.name, s.encoder_only, s.label_factor, s.boundary_side, s.epochs, s.batch, s.lr});
  state.values[trainer + "stages"] = stages;
  state.values[trainer + "stage"] = stage_;
  state.values[trainer + "epoch"] = epoch_;
  state.values[trainer + "trained"] = epochs_;
  state.values[trainer + "steps"] = steps_;
  order_.save(state, trainer);
  state.values[trainer + "loss_sum"] = loss_sum_;
  state.values[prefix + "loss"] = loss_;
  state.values[prefix + "task"] = task_;
  state.values[prefix + "in_task"] = in_task_;
  state.values[prefix + "seconds"] = seconds_;
  memory_.save(state, prefix + "memory.");
  policy_->save(state, prefix + "policy.");
}

void MatteLearner::load(const State& state, const std::string& prefix) {
  const std::string trainer = prefix + "trainer.";
  net_->tensors().load(state.tensors, trainer + "net.", state.source);
  stages_.clear();
  for (const auto& s : state.value<nlohmann::json>(trainer + "stages"))
    stages_.push_back({s.at(0), s.at(1), s.at(2), s.at(3), s.at(4), s.at(5), s.at(6)});
  stage_ = std::min(state.value<size_t>(trainer + "stage"), stages_.size());
  epoch_ = state.value<int64_t>(trainer + "epoch");
  epochs_ = state.value<int64_t>(trainer + "trained");
  steps_ = state.value<int64_t>(trainer + "steps");
  order_.load(state, trainer);
  loss_sum_ = state.value<double>(trainer + "loss_sum");
  replay_.load(state, trainer + "replay.");
  if (state.has_tensor(trainer + "class_weights")) class_weights_ = state.tensor(trainer + "class_weights");
  begin_stage();
  const bool named = state.has_value(trainer + "optimiser");
  if (!trained()) optimiser_->load(state.tensors, trainer + (named ? "optimiser." : "adam."), state.source);
  loss_ = state.value<double>(prefix + "loss");
  task_ = state.value<int64_t>(prefix + "task");
  in_task_ = state.value<bool>(prefix + "in_task");
  seconds_ = state.value<double>(prefix + "seconds");
  memory_.load(state, prefix + "memory.");
  policy_->load(state, prefix + "policy.");
  if (memory_.size() == 0) return;
  const auto images = memory_.samples().tensor(column::kImage).sizes(),
             masks = memory_.samples().tensor(column::kMask).sizes();
  if (images[1] != 3 || images.slice(2) != masks.slice(1))
    throw Error({"reading the checkpoint", state.source, "photographs and masks of one size", "others"});
}

TensorFile MatteLearner::model() const {
  TensorFile file;
  net_->tensors().save(file.tensors, "");
  file.metadata["gate"] = config_.train.gate ? "true" : "false";
  file.metadata["size"] = std::to_string(config_.train.size);
  return file;
}

}  // namespace perennial
