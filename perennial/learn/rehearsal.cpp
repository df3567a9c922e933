#include "perennial/learn/rehearsal.h"

#include <algorithm>

#include "perennial/base/error.h"

namespace perennial {

Rehearsal::Rehearsal(const MemoryBudget& budget, std::unique_ptr<Policy> policy, bool after_pass,
                     uint64_t seed)
    : seed_(seed),
      memory_(budget),
      policy_(std::move(policy)),
      replay_(seed),
      after_pass_(policy_->online() && after_pass),
      keep_task_(!policy_->online() || after_pass_) {}

Samples Rehearsal::draw(int64_t count) { return memory_.take(replay_.next(count, memory_.size())); }

void Rehearsal::receive(const Samples& batch, const AskEvidence& ask) {
  if (keep_task_) keep(batch);
  if (as_they_arrive()) policy_->offer(memory_, batch, ask);
}

void Rehearsal::renew(const Samples& batch) {
  for (int64_t row = 0; row < batch.size(); ++row) {
    const int64_t id = batch.ids()[static_cast<size_t>(row)];
    const auto found = std::find(memory_.ids().begin(), memory_.ids().end(), id);
    if (found != memory_.ids().end())
      memory_.put(found - memory_.ids().begin(), batch, row,
                  Random(seed_, "memory room", 0, static_cast<uint64_t>(id)));
  }
}

// Pieces of like size become one, so that there are few: thousands of small ones between what the training
// takes and gives back would leave it holes that it cannot use again.
void Rehearsal::keep(const Samples& batch) {
  task_.push_back(batch);
  while (task_.size() > 1 && task_[task_.size() - 2].size() <= task_.back().size()) {
    const Samples last = std::move(task_.back());
    task_.pop_back();
    task_.back() = concat(task_.back(), last);
  }
}

void Rehearsal::choose(int64_t task, const AskEvidence& ask) {
  if (!policy_->online()) return select(task, ask);
  if (after_pass_) {
    constexpr int64_t kRows = 16;  // whatever the pieces that they were kept in
    const Samples& all = task_samples();
    for (int64_t row = 0; row < all.size(); row += kRows)
      policy_->offer(memory_, slice(all, row, std::min(kRows, all.size() - row)), ask);
  }
  task_.clear();
}

void Rehearsal::select(int64_t task, const AskEvidence& ask) {
  const int64_t own = task_samples().size();
  const Samples all = concat(task_samples(), memory_.samples());
  if (all.empty()) return;
  // One copy of the candidates; whole again should the policy be interrupted.
  task_ = {slice(all, 0, own)};
  const auto position = static_cast<uint64_t>(task);
  Choice choice = policy_->select(*ask(all), memory_.capacity(all), position);
  memory_.keep(all, std::move(choice.rows), std::move(choice.scores), Random(seed_, "memory room", position));
  task_.clear();
}

const Samples& Rehearsal::task_samples() {
  if (task_.size() != 1) task_ = {concat(task_)};
  return task_.front();
}

int64_t Rehearsal::task_bytes() const {
  int64_t bytes = 0;
  for (const Samples& batch : task_) bytes += batch.bytes();
  return bytes;
}

void Rehearsal::save(State& state, const std::string& prefix) const {
  memory_.save(state, prefix + "memory.");
  policy_->save(state, prefix + "policy.");
  replay_.save(state, prefix + "replay.");
  save_samples(concat(task_), state, prefix + "task_samples.");
}

void Rehearsal::load(const State& state, const std::string& prefix, const LabelMap& labels) {
  memory_.load(state, prefix + "memory.");
  policy_->load(state, prefix + "policy.");
  replay_.load(state, prefix + "replay.");
  task_ = {load_samples(state, prefix + "task_samples.")};
  for (const auto own : {memory_.labels(), task_.front().labels()})
    for (const int64_t label : own)
      if (!labels.knows(label))
        throw Error({"reading a saved state", state.source, "samples of classes that were seen",
                     "one of class " + std::to_string(label)});
}

}  // namespace perennial
