#include "perennial/learn/routine.h"

#include <cmath>
#include <set>

#include <fmt/format.h>

namespace perennial {

namespace {

/// What the memory may take of a batch.
int64_t share_of(const TrainOptions& train) {
  const auto share = static_cast<int64_t>(std::floor(static_cast<double>(train.batch) * train.replay_share));
  return std::min(share, train.batch - 1);
}

}  // namespace

int64_t ReplayKit::streamed() const {
  const TrainOptions& train = trainer.options();
  return train.batch - (replays_in_first_task ? replayed() : share_of(train));
}

void ReplayKit::robust_follows(const Samples& batch, double lr) {
  if (robust) robust->streamed(*this, batch, lr);
}

int64_t ReplayKit::replayed() const {
  const bool none = rehearsal.memory().size() == 0 || (task == 0 && !replays_in_first_task);
  return none ? 0 : share_of(trainer.options());
}

AskEvidence ReplayKit::ask(Progress* progress) {
  return [this, progress](const Samples& samples) {
    return std::make_unique<NetworkEvidence>(trainer, samples, views ? &*views : nullptr,
                                             static_cast<uint64_t>(task), progress, &clock);
  };
}

int64_t Routine::wanted(const ReplayKit& kit) const { return kit.trainer.options().batch - kit.replayed(); }

bool is_trained(const ReplayKit& kit, const Samples& batch) {
  return !kit.trainer.options().drop_last || batch.size() >= kit.streamed();
}

double stream_lr(const ReplayKit& kit) {
  const TrainOptions& train = kit.trainer.options();
  return train.lr * train.stream_lr_factor;
}

Samples replay_step(ReplayKit& kit, const Samples& batch) {
  if (!is_trained(kit, batch)) return batch;
  const int64_t replayed = kit.replayed();
  for (int64_t i = 0; i < kit.trainer.options().updates; ++i) {
    const Samples joined = replayed > 0 ? concat(batch, kit.rehearsal.draw(replayed)) : batch;
    kit.trainer.step(joined, stream_lr(kit));
    kit.robust_follows(joined, stream_lr(kit));
  }
  return batch;
}

void stream_pass(ReplayKit& kit, const Samples& batch, const Learn& learn) {
  Samples kept;
  kit.clock.timed("stream", [&] { kept = learn(kit, batch); });
  kit.rehearsal.receive(kept, kit.ask());
}

void choose_memory(ReplayKit& kit, Progress& progress) {
  // What is offered batch by batch cannot be interrupted: some have been taken in by then.
  Progress* const stops = kit.rehearsal.after_pass() ? nullptr : &progress;
  kit.clock.timed("selection", [&] { kit.rehearsal.choose(kit.task, kit.ask(stops)); });
}

Piece memory_epoch_piece(const ReplayKit& kit, int64_t epoch) {
  return {fmt::format("memory epoch {}/{}", epoch + 1, kit.trainer.options().epochs), epoch + 1};
}

void memory_epoch(ReplayKit& kit, int64_t epoch, Progress& progress) {
  kit.clock.timed("memory training", [&] {
    if (kit.robust)
      kit.robust->epoch(kit, epoch, progress);
    else
      plain_memory_epoch(kit, epoch, progress);
  });
}

void plain_memory_epoch(ReplayKit& kit, int64_t epoch, Progress& progress) {
  kit.trainer.epoch(kit.rehearsal.memory().samples(), kit.trainer.memory_batch(), epoch,
                    memory_epoch_piece(kit, epoch).name, progress);
}

int64_t StreamThenMemory::pieces(const ReplayKit& kit) const {
  const TrainOptions& train = kit.trainer.options();
  return more_passes(kit) + 1 + (train.online() ? 0 : train.epochs);
}

Piece StreamThenMemory::piece(const ReplayKit& kit, int64_t i) const {
  const int64_t more = more_passes(kit);
  if (i < more) return {fmt::format("pass {}/{} over the task's data", i + 2, more + 1), i + 1};
  if (i == more)
    return {kit.rehearsal.as_they_arrive() ? "memory as it stands" : "choosing what to remember", 0};
  const Piece epoch = memory_epoch_piece(kit, i - more - 1);
  return {epoch.name, more + epoch.epoch};
}

void StreamThenMemory::run(ReplayKit& kit, int64_t i, Progress& progress) {
  const int64_t more = more_passes(kit);
  if (i < more)
    pass_again(kit, i, progress);
  else if (i == more)
    choose_memory(kit, progress);
  else
    memory_epoch(kit, i - more - 1, progress);
}

void StreamThenMemory::pass_again(ReplayKit& kit, int64_t i, Progress& progress) {
  const auto step_on = [&](const Samples& batch) {
    const Samples kept = learn_(kit, batch);
    if (remembers_more_) kit.rehearsal.renew(kept);
  };
  kit.clock.timed("stream", [&] {
    const Samples& task = kit.rehearsal.task_samples();
    kit.trainer.epoch(task.size(), kit.streamed(), i, piece(kit, i).name, progress,
                      [&](std::span<const int64_t> rows, double) { step_on(take(task, rows)); });
  });
}

int64_t TaskEpochs::pieces(const ReplayKit& kit) const { return revisit_ ? kit.trainer.options().epochs : 0; }

Piece TaskEpochs::piece(const ReplayKit& kit, int64_t i) const {
  return {fmt::format("epoch {}/{} on the task's data", i + 1, kit.trainer.options().epochs), i + 1};
}

void TaskEpochs::run(ReplayKit& kit, int64_t i, Progress& progress) {
  kit.clock.timed("task training", [&] {
    kit.trainer.epoch(kit.rehearsal.task_samples(), kit.trainer.options().batch, i, piece(kit, i).name,
                      progress);
  });
}

Samples earlier_samples(ReplayKit& kit) {
  const std::vector<int64_t>& own = kit.rehearsal.task_samples().ids();
  const std::set<int64_t> present(own.begin(), own.end());
  const Memory& memory = kit.rehearsal.memory();
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < memory.size(); ++row)
    if (!present.contains(memory.ids()[static_cast<size_t>(row)])) rows.push_back(row);
  return memory.take(rows);
}

Piece UnionEpochs::piece(const ReplayKit& kit, int64_t i) const {
  const int64_t epochs = kit.trainer.options().epochs;
  if (i == epochs) return {"choosing what to remember", 0};
  return {fmt::format("epoch {}/{} on task and memory", i + 1, epochs), i + 1};
}

void UnionEpochs::run(ReplayKit& kit, int64_t i, Progress& progress) {
  if (i == kit.trainer.options().epochs) {
    all_ = {};
    return choose_memory(kit, progress);
  }
  if (all_.empty()) all_ = epoch_samples(kit);
  kit.clock.timed("task training", [&] {
    kit.trainer.epoch(all_.size(), kit.trainer.options().batch, i, piece(kit, i).name, progress,
                      [&](std::span<const int64_t> rows, double lr) { step(kit, take(all_, rows), lr); });
  });
}

Samples UnionEpochs::epoch_samples(ReplayKit& kit) {
  return concat(kit.rehearsal.task_samples(), earlier_samples(kit));
}

}  // namespace perennial
