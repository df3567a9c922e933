#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>

#include "perennial/learn/robust_kinds.h"

namespace perennial {
namespace {

class Coteaching : public SecondNetwork {
 public:
  Coteaching(const LearnerSetup& setup, const TrainerParts& parts)
      : SecondNetwork(setup, parts), options_(setup.train.robust) {}

  void epoch(ReplayKit& kit, int64_t epoch, Progress& progress) override {
    second_.show(&kit.rehearsal.memory());
    const Memory& memory = kit.rehearsal.memory();
    kit.trainer.epoch(memory.size(), kit.trainer.memory_batch(), epoch, memory_epoch_piece(kit, epoch).name,
                      progress, [&](std::span<const int64_t> rows, double lr) {
                        step(kit.trainer, memory.take(rows), share_kept(epoch), lr);
                      });
  }

 private:
  /// R(e) = 1 - min(e tau / E_k, tau).
  double share_kept(int64_t epoch) const {
    const double tau = options_.coteaching_rate;
    const auto e = static_cast<double>(std::max<int64_t>(0, epoch - options_.warmup));
    return 1 - std::min(e * tau / static_cast<double>(options_.coteaching_epochs), tau);
  }

  void step(Trainer& first, const Samples& batch, double share, double lr) {
    if (batch.size() < 2) return;
    const Prepared made = first.prepare(batch, Targets::of(batch, first.labels()));
    const auto kept =
        std::max<int64_t>(1, static_cast<int64_t>(std::floor(share * static_cast<double>(batch.size()))));
    const Outputs of_second = second_.forward(batch, made.inputs);
    const at::Tensor second_losses = made.targets.losses(of_second.logits);
    at::Tensor chosen;  // by the first network, for the second
    first.step(batch, made.inputs, made.targets, lr, [&](const StepView& view) {
      chosen = smallest(view.losses(), kept);
      return view.losses().index_select(0, smallest(second_losses, kept)).mean();
    });
    const at::Tensor loss = second_losses.index_select(0, chosen).mean();
    loss.backward();
    second_.apply(batch, loss.item<double>(), lr);
  }

  static at::Tensor smallest(const at::Tensor& losses, int64_t count) {
    return losses.detach().argsort(/*stable=*/true, 0, false).narrow(0, 0, count);
  }

  RobustOptions options_;
};

}  // namespace

std::unique_ptr<RobustTraining> make_coteaching(const LearnerSetup& setup, const TrainerParts& parts) {
  return std::make_unique<Coteaching>(setup, parts);
}

}  // namespace perennial
