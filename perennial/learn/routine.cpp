#include "perennial/learn/routine.h"

#include <cmath>

#include <fmt/format.h>

namespace perennial {

int64_t ReplayKit::replayed() const {
  const TrainOptions& train = trainer.options();
  if (rehearsal.memory().size() == 0) return 0;
  const auto share = static_cast<int64_t>(std::floor(static_cast<double>(train.batch) * train.replay_share));
  return std::min(share, train.batch - 1);
}

AskEvidence ReplayKit::ask(Progress* progress) {
  return [this, progress](const Samples& samples) {
    return std::make_unique<NetworkEvidence>(trainer, samples, views ? &*views : nullptr,
                                             static_cast<uint64_t>(task), progress, &clock);
  };
}

Samples replay_step(ReplayKit& kit, const Samples& batch) {
  const TrainOptions& train = kit.trainer.options();
  const int64_t replayed = kit.replayed();
  if (!train.drop_last || batch.size() >= train.batch - replayed)
    kit.trainer.step(replayed > 0 ? concat(batch, kit.rehearsal.draw(replayed)) : batch,
                     train.lr * train.stream_lr_factor);
  return batch;
}

void stream_pass(ReplayKit& kit, const Samples& batch, const Learn& learn) {
  Samples kept;
  kit.clock.timed("stream", [&] { kept = learn(kit, batch); });
  kit.rehearsal.receive(kept, kit.ask());
}

void choose_memory(ReplayKit& kit, Progress& progress) {
  kit.clock.timed("selection", [&] { kit.rehearsal.choose(kit.task, kit.ask(&progress)); });
}

Piece memory_epoch_piece(const ReplayKit& kit, int64_t epoch) {
  return {fmt::format("memory epoch {}/{}", epoch + 1, kit.trainer.options().epochs), epoch + 1};
}

void memory_epoch(ReplayKit& kit, int64_t epoch, Progress& progress) {
  kit.clock.timed("memory training", [&] {
    kit.trainer.epoch(kit.rehearsal.memory().samples(), kit.trainer.memory_batch(), epoch,
                      memory_epoch_piece(kit, epoch).name, progress);
  });
}

int64_t StreamThenMemory::pieces(const ReplayKit& kit) const { return 1 + kit.trainer.options().epochs; }

Piece StreamThenMemory::piece(const ReplayKit& kit, int64_t i) const {
  if (i > 0) return memory_epoch_piece(kit, i - 1);
  return {kit.rehearsal.as_they_arrive() ? "memory as it stands" : "choosing what to remember", 0};
}

void StreamThenMemory::run(ReplayKit& kit, int64_t i, Progress& progress) {
  if (i == 0)
    choose_memory(kit, progress);
  else
    memory_epoch(kit, i - 1, progress);
}

}  // namespace perennial
