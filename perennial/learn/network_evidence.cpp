#include "perennial/learn/network_evidence.h"

#include <optional>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/one_hot.h>

namespace perennial {

NetworkEvidence::NetworkEvidence(const Trainer& trainer, Samples samples, const Views* views,
                                 uint64_t position, Progress* progress, WorkClock* clock)
    : trainer_(trainer),
      samples_(std::move(samples)),
      views_(views),
      position_(position),
      progress_(progress),
      clock_(clock),
      version_(trainer.version()) {}

void NetworkEvidence::require_current() const {
  if (trainer_.version() != version_)
    throw std::logic_error("evidence of a network that has learned on since");
}

at::Tensor NetworkEvidence::make_rows() { return trainer_.labels().rows(samples_.tensor(column::kLabel)); }

at::Tensor NetworkEvidence::make_features() { return trainer_.net().features(samples_); }

at::Tensor NetworkEvidence::make_logits() {
  return has_features() ? trainer_.net().logits_of_features(features()) : trainer_.net().logits(samples_);
}

at::Tensor NetworkEvidence::make_head_weight() { return trainer_.net().head().weight().detach().cpu(); }

// All views of 256 samples go through the network stacked on the batch axis, and only what is made of them is
// kept.
void NetworkEvidence::each_part(const std::function<void(int64_t, const Samples&, const at::Tensor&)>& use) {
  constexpr int64_t kRows = 256;
  if (views_ == nullptr) throw std::logic_error("this method makes no perturbed views of samples");
  std::optional<ProgressPart> part;
  if (progress_ != nullptr) part.emplace(*progress_, "uncertainty", samples_.size());
  for (int64_t begin = 0; begin < samples_.size(); begin += kRows) {
    if (progress_ != nullptr && progress_->stop_requested()) throw Interrupted{};
    const int64_t count = std::min(kRows, samples_.size() - begin);
    const Samples some = slice(samples_, begin, count);
    std::vector<at::Tensor> views;
    for (int64_t a = 0; a < views_->count; ++a) views.push_back(views_->view(some, a, position_));
    NetworkInput stacked = some;
    stacked.rows = at::cat(views);
    use(begin, some, trainer_.net().logits(stacked).reshape({views_->count, count, classes()}));
    if (progress_ != nullptr) progress_->advance(count);
  }
}

at::Tensor NetworkEvidence::make_votes() {
  at::Tensor votes = at::empty({samples_.size(), classes()}, at::kByte);
  each_part([&](int64_t first, const Samples& some, const at::Tensor& logits) {
    votes.narrow(0, first, some.size()).copy_(at::one_hot(logits.argmax(2), classes()).sum(0));
  });
  return votes;
}

std::vector<float> NetworkEvidence::make_uncertainty() {
  std::vector<float> all;
  all.reserve(static_cast<size_t>(samples_.size()));
  const auto work = [&] {
    each_part([&](int64_t, const Samples& some, const at::Tensor& logits) {
      const at::Tensor rows = some.has(column::kLabel) ? trainer_.labels().rows(some.tensor(column::kLabel))
                                                       : logits.mean(0).argmax(1);
      const auto of_some = views_->uncertainty(logits, rows);
      all.insert(all.end(), of_some.begin(), of_some.end());
    });
  };
  if (clock_ != nullptr)
    clock_->timed("uncertainty", work);
  else
    work();
  return all;
}

}  // namespace perennial
