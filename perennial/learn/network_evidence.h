#pragma once

#include <functional>
#include <vector>

#include "perennial/base/progress.h"
#include "perennial/learn/trainer.h"
#include "perennial/learn/work_clock.h"
#include "perennial/memory/evidence.h"

namespace perennial {

/// Perturbed views of samples, and what is made of the network's answers to them.
struct Views {
  int64_t count = 0;
  /// The input of view `a` of samples; `position` is the task.
  std::function<at::Tensor(const Samples& samples, int64_t a, uint64_t position)> view;
  /// Logits float [count, N, classes], labels' rows int64 [N] -> uncertainty [N] in [0, 1).
  std::function<std::vector<float>(const at::Tensor& logits, const at::Tensor& rows)> uncertainty;
};

/// Evidence from the network of a trainer as it is when it is made.
class NetworkEvidence final : public Evidence {
 public:
  /// `views`, `progress` and `clock` may be null; `progress` may ask to stop (Interrupted), and `clock` is
  /// told the time that uncertainty takes. All of them, and the trainer, must outlive it.
  NetworkEvidence(const Trainer& trainer, Samples samples, const Views* views, uint64_t position,
                  Progress* progress, WorkClock* clock);

  const Samples& samples() const override { return samples_; }
  int64_t classes() const override { return trainer_.net().classes(); }
  std::vector<int64_t> labels() const override { return trainer_.labels().labels(); }
  int64_t classes_met() const override { return trainer_.classes_met(); }
  double training_loss() const override { return trainer_.last_loss(); }

 private:
  void require_current() const override;
  at::Tensor make_rows() override;
  at::Tensor make_features() override;
  at::Tensor make_logits() override;
  at::Tensor make_head_weight() override;
  at::Tensor make_votes() override;
  at::Tensor make_crop_losses() override;
  at::Tensor make_passes(int64_t count, double share) override;
  std::vector<float> make_uncertainty() override;
  /// Calls use(first row, samples, logits [views, rows, classes]) for a part of the samples at a time.
  void each_part(const std::function<void(int64_t, const Samples&, const at::Tensor&)>& use);

  const Trainer& trainer_;
  Samples samples_;
  const Views* views_;
  uint64_t position_;
  Progress* progress_;
  WorkClock* clock_;
  int64_t version_;
};

}  // namespace perennial
