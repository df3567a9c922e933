#include "perennial/learn/network_evidence.h"

#include <optional>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "perennial/data/augment/vectors.h"

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

// Images moved by the training crop's four pixels to each corner and not at all.
at::Tensor NetworkEvidence::make_crop_losses() {
  constexpr int64_t kPad = 4;
  const NetworkInput input(samples_);
  at::Tensor sum = at::zeros({samples_.size()});
  const auto add = [&](const at::Tensor& view) {
    NetworkInput some = input;
    some.rows = view;
    sum += at::cross_entropy_loss(trainer_.net().logits(some), rows(), {}, at::Reduction::None);
  };
  if (input.column != column::kImage) {
    for (uint64_t a = 0; a < 5; ++a)
      add(drop_values(input.rows, samples_.ids(), 0.1, trainer_.setup().seed, "crops", a));
    return sum / 5;
  }
  const int64_t height = input.rows.size(2), width = input.rows.size(3);
  const at::Tensor padded = at::constant_pad_nd(input.rows, at::IntArrayRef{kPad, kPad, kPad, kPad}, 0);
  for (const auto& [y, x] : {std::pair<int64_t, int64_t>{0, 0}, {0, 8}, {8, 0}, {8, 8}, {4, 4}})
    add(padded.narrow(2, y, height).narrow(3, x, width).contiguous());
  return sum / 5;
}

at::Tensor NetworkEvidence::make_passes(int64_t count, double share) {
  std::vector<at::Tensor> all;
  for (int64_t t = 0; t < count; ++t) {
    const uint64_t position = position_ * 1024 + static_cast<uint64_t>(t);
    const at::Tensor dropped =
        drop_values(features(), samples_.ids(), share, trainer_.setup().seed, "passes", position);
    all.push_back(at::softmax(trainer_.net().logits_of_features(dropped), 1));
  }
  return at::stack(all);
}

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
