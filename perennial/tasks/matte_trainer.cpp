#include "perennial/tasks/matte_trainer.h"

#include <algorithm>
#include <span>

#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/error.h"
#include "perennial/tasks/matte_loss.h"
#include "perennial/tasks/sinet_preprocess.h"

namespace perennial {

MatteTrainer::MatteTrainer(const MatteTrainOptions& options, uint64_t seed)
    : options_(options), seed_(seed), replay_(seed), order_(seed, "matte order") {
  SinetOptions net;
  net.variant = options.net;
  net.gate = options.gate;
  net.classes = options.classes;
  net.height = net.width = options.size;
  net_ = make_sinet(net, seed);
}

void MatteTrainer::begin(std::vector<MatteStage> stages, const std::vector<Matte>& mattes) {
  stages_ = std::move(stages);
  class_weights_ = class_weights(matte_batch(mattes, 0, mattes.size(), options_.size).masks.to(at::kLong), 2);
  stage_ = 0;
  epoch_ = 0;
  begin_stage();
}

double MatteTrainer::learning_rate() const { return matte_learning_rate(stage(), epoch_); }

void MatteTrainer::begin_stage() {
  if (!done())
    optimiser_ = std::make_unique<Optimiser>(sinet_groups(*net_, stage().encoder_only),
                                             OptimiserOptions{.name = "adam"});
}

double MatteTrainer::train_epoch(const std::vector<Matte>& mattes, size_t fresh, Progress& progress) {
  const auto count = static_cast<int64_t>(fresh), old = static_cast<int64_t>(mattes.size() - fresh);
  const int64_t share = old > 0 ? std::max<int64_t>(1, stage().batch / 2) : stage().batch;
  order_.run(count, share, steps_, fmt::format("{}, epoch {}/{}", stage().name, epoch_ + 1, stage().epochs),
             progress, [&](std::span<const int64_t> some, int64_t, int64_t) {
               std::vector<int64_t> rows(some.begin(), some.end());
               const auto n = static_cast<int64_t>(some.size());
               if (old > 0)
                 for (const int64_t row : replay_.next(n, old)) rows.push_back(count + row);
               loss_sum_ += step(mattes, rows) * static_cast<double>(n);
               ++steps_;
             });
  const double loss = loss_sum_ / static_cast<double>(count);
  loss_sum_ = 0;
  ++trained_;
  if (++epoch_ == stage().epochs) {
    epoch_ = 0;
    ++stage_;
    begin_stage();
  }
  return loss;
}

double MatteTrainer::step(const std::vector<Matte>& mattes, const std::vector<int64_t>& rows) {
  const MatteBatch batch =
      augment_mattes(mattes, rows, options_.size, options_.augment, seed_, static_cast<uint64_t>(steps_));
  const at::Tensor loss =
      matte_stage_loss(*net_, stage(), sinet_preprocess(batch.images), batch.masks.to(at::kLong), options_,
                       options_.loss == "cross_entropy" ? class_weights_ : at::Tensor());
  loss.backward();
  optimiser_->step(learning_rate());
  return loss.item<double>();
}

void MatteTrainer::save(State& state, const std::string& prefix) const {
  net_->tensors().save(state.tensors, prefix + "net.");
  if (optimiser_) optimiser_->save(state.tensors, prefix + "optimiser.");
  state.put(prefix + "optimiser", std::string("adam"));
  if (class_weights_.defined()) state.tensors[prefix + "class_weights"] = class_weights_;
  replay_.save(state, prefix + "replay.");
  nlohmann::json stages = nlohmann::json::array();
  for (const MatteStage& s : stages_)
    stages.push_back({s.name, s.encoder_only, s.label_factor, s.boundary_side, s.epochs, s.batch, s.lr});
  state.values[prefix + "stages"] = stages;
  state.values[prefix + "stage"] = stage_;
  state.values[prefix + "epoch"] = epoch_;
  state.values[prefix + "trained"] = trained_;
  state.values[prefix + "steps"] = steps_;
  order_.save(state, prefix);
  state.values[prefix + "loss_sum"] = loss_sum_;
}

void MatteTrainer::load(const State& state, const std::string& prefix) {
  net_->tensors().load(state.tensors, prefix + "net.", state.source);
  stages_.clear();
  for (const auto& s : state.value<nlohmann::json>(prefix + "stages"))
    stages_.push_back({s.at(0), s.at(1), s.at(2), s.at(3), s.at(4), s.at(5), s.at(6)});
  stage_ = std::min(state.value<size_t>(prefix + "stage"), stages_.size());
  epoch_ = state.value<int64_t>(prefix + "epoch");
  trained_ = state.value<int64_t>(prefix + "trained");
  steps_ = state.value<int64_t>(prefix + "steps");
  order_.load(state, prefix);
  loss_sum_ = state.value<double>(prefix + "loss_sum");
  replay_.load(state, prefix + "replay.");
  if (state.has_tensor(prefix + "class_weights")) class_weights_ = state.tensor(prefix + "class_weights");
  begin_stage();
  const bool named = state.has_value(prefix + "optimiser");
  if (!done()) optimiser_->load(state.tensors, prefix + (named ? "optimiser." : "adam."), state.source);
}

}  // namespace perennial
