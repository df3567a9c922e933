#include "perennial/learn/replay_learner.h"

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/error.h"

namespace perennial {

ReplayLearner::ReplayLearner(const LearnerSetup& setup, HeadKind head, const PolicyOptions& policy,
                             const std::string& augmentation)
    : ClassifierLearner(setup, head, augmentation),
      memory_(setup.memory),
      policy_(make_policy(policy, setup.seed)),
      replay_(setup.seed),
      after_pass_(policy_->online() && policy.update == "after_pass"),
      keep_task_(!policy_->online() || after_pass_) {}

int64_t ReplayLearner::wanted() const {
  const int64_t batch = setup_.train.batch;
  if (memory_.size() == 0) return batch;
  const auto replayed =
      static_cast<int64_t>(std::floor(static_cast<double>(batch) * setup_.train.replay_share));
  return std::max<int64_t>(1, batch - replayed);
}

Samples ReplayLearner::draw(int64_t count) { return memory_.take(replay_.next(count, memory_.size())); }

void ReplayLearner::observe(const Samples& batch) {
  receive(batch);
  timed("stream", [&] { learn_from_stream(batch); });
  if (keep_task_) task_chunks_.push_back(batch);
  if (policy_->online() && !after_pass_) policy_->offer(memory_, batch);
}

void ReplayLearner::learn_from_stream(const Samples& batch) {
  const int64_t full = wanted();
  if (setup_.train.drop_last && batch.size() < full) return;
  const int64_t replayed = setup_.train.batch - full;
  train_step(replayed > 0 ? concat(batch, draw(replayed)) : batch,
             setup_.train.lr * setup_.train.stream_lr_factor);
}

const Samples& ReplayLearner::task_samples() {
  if (task_chunks_.size() != 1) task_chunks_ = {concat(task_chunks_)};
  return task_chunks_.front();
}

int64_t ReplayLearner::candidate_bytes() const {
  int64_t bytes = 0;
  for (const Samples& chunk : task_chunks_) bytes += chunk.bytes();
  return bytes;
}

std::vector<float> ReplayLearner::uncertainty(const Samples&, Progress&) {
  throw std::logic_error("this method does not estimate uncertainty");
}

void ReplayLearner::select(Policy& policy, Progress& progress) {
  const int64_t own = task_samples().size();
  const Samples all = concat(task_samples(), memory_.samples());
  if (all.empty()) return;
  // One copy of the candidates; whole again should the policy be interrupted.
  task_chunks_ = {slice(all, 0, own)};
  const Candidates candidates{all, labels_.size(), [&] { return net_.features(all); },
                              [&] {
                                std::vector<float> u;
                                timed("uncertainty", [&] { u = uncertainty(all, progress); });
                                return u;
                              }};
  std::vector<float> scores;
  const auto rows = policy.select(candidates, memory_.capacity(all), static_cast<uint64_t>(task_), scores);
  memory_.keep(all, rows, std::move(scores),
               Random(setup_.seed, "memory room", static_cast<uint64_t>(task_)));
  task_chunks_.clear();
}

void ReplayLearner::remember(Progress& progress) {
  if (!policy_->online()) return select(*policy_, progress);
  if (after_pass_)
    for (const Samples& chunk : task_chunks_) policy_->offer(memory_, chunk);
  task_chunks_.clear();
}

std::string ReplayLearner::piece_name(int64_t i) const {
  if (i == 0) return policy_->online() && !after_pass_ ? "memory as it stands" : "choosing what to remember";
  return fmt::format("memory epoch {}/{}", i, setup_.train.epochs);
}

void ReplayLearner::run_piece(int64_t i, Progress& progress) {
  if (i > 0) {
    timed("memory training", [&] { train_epoch(memory_.samples(), memory_batch(), i - 1, progress); });
  } else {
    timed("selection", [&] { remember(progress); });
  }
}

void ReplayLearner::save(State& state, const std::string& prefix) const {
  ClassifierLearner::save(state, prefix);
  memory_.save(state, prefix + "memory.");
  policy_->save(state, prefix + "policy.");
  replay_.save(state, prefix + "replay.");
  save_samples(concat(task_chunks_), state, prefix + "task_samples.");
}

void ReplayLearner::load(const State& state, const std::string& prefix) {
  ClassifierLearner::load(state, prefix);
  memory_.load(state, prefix + "memory.");
  policy_->load(state, prefix + "policy.");
  replay_.load(state, prefix + "replay.");
  task_chunks_ = {load_samples(state, prefix + "task_samples.")};
  for (const auto labels : {memory_.labels(), task_chunks_.front().labels()})
    for (const int64_t label : labels)
      if (!labels_.knows(label))
        throw Error({"reading a saved state", state.source, "samples of classes that were seen",
                     "one of class " + std::to_string(label)});
}

}  // namespace perennial
