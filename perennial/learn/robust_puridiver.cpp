#include <algorithm>
#include <numeric>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "perennial/base/log.h"
#include "perennial/base/random.h"
#include "perennial/learn/gaussian_pair.h"
#include "perennial/learn/robust_kinds.h"
#include "perennial/nn/loss.h"

namespace perennial {
namespace {

std::span<const float> floats(const at::Tensor& t) {
  return {t.const_data_ptr<float>(), static_cast<size_t>(t.numel())};
}

/// What is thought of a sample's label.
enum Part : int64_t { kClean, kRelabelled, kUnlabelled };
constexpr const char* kPartNames[] = {"clean", "relabelled", "unlabelled"};

/// `count` of `rows`, which come round again and again: those of batch `i`.
std::vector<int64_t> cycled(const std::vector<int64_t>& rows, int64_t i, int64_t count) {
  std::vector<int64_t> some;
  const auto n = std::ssize(rows);
  for (int64_t k = 0; k < std::min(count, n); ++k)
    some.push_back(rows[static_cast<size_t>((i * count + k) % n)]);
  return some;
}

class PuridiverTraining : public RobustTraining {
 public:
  explicit PuridiverTraining(const LearnerSetup& setup) : options_(setup.train.robust), seed_(setup.seed) {}

  void epoch(ReplayKit& kit, int64_t epoch, Progress& progress) override {
    if (!kit.trainer.inside_epoch()) begin(kit, epoch);
    if (part_.empty()) return plain_memory_epoch(kit, epoch, progress);
    const std::vector<int64_t> clean = rows_of(kClean), relabelled = rows_of(kRelabelled),
                               unlabelled = rows_of(kUnlabelled);
    const int64_t batch = kit.trainer.memory_batch();
    const auto beside = [&](const std::vector<int64_t>& rows) {
      return std::max<int64_t>(2, batch * std::ssize(rows) / std::ssize(clean));
    };
    kit.trainer.epoch(std::ssize(clean), batch, epoch, memory_epoch_piece(kit, epoch).name, progress,
                      [&](std::span<const int64_t> positions, double lr) {
                        std::vector<int64_t> own;
                        for (const int64_t p : positions) own.push_back(clean[static_cast<size_t>(p)]);
                        step(kit, own, cycled(relabelled, at_, beside(relabelled)),
                             cycled(unlabelled, at_, beside(unlabelled)), lr);
                        ++at_;
                      });
  }

  std::map<int64_t, std::string> verdicts() const override {
    std::map<int64_t, std::string> all;
    for (size_t i = 0; i < part_.size(); ++i) all[ids_[i]] = kPartNames[part_[i]];
    return all;
  }

  void save(State& state, const std::string& prefix) const override {
    state.put_ints(prefix + "ids", ids_);
    state.put_ints(prefix + "part", part_);
    state.put_floats(prefix + "posterior", posterior_);
    state.put(prefix + "at", at_);
    state.put(prefix + "began", began_);
  }
  void load(const State& state, const std::string& prefix) override {
    ids_ = state.ints(prefix + "ids");
    part_ = state.ints(prefix + "part");
    posterior_ = state.floats(prefix + "posterior");
    at_ = state.value<int64_t>(prefix + "at");
    began_ = state.value<int64_t>(prefix + "began");
  }

 private:
  /// Splits the memory as the network sees it now; part_ is empty when the epoch is to be a plain one.
  void begin(ReplayKit& kit, int64_t epoch) {
    ids_.clear(), part_.clear(), posterior_.clear();
    at_ = 0;
    began_ = kit.trainer.steps();
    const Memory& memory = kit.rehearsal.memory();
    if (epoch < options_.warmup || memory.size() == 0) return;
    const auto evidence = kit.ask()(memory.samples());
    std::vector<float> posterior = probably_clean(*evidence);
    std::vector<int64_t> noisy;
    for (int64_t i = 0; i < memory.size(); ++i)
      if (posterior[static_cast<size_t>(i)] <= 0.5F) noisy.push_back(i);
    std::vector<int64_t> part(posterior.size(), kClean);
    split_noisy(*evidence, noisy, part);
    const auto count = [&](Part p) { return std::count(part.begin(), part.end(), p); };
    if (count(kClean) == 0 || count(kRelabelled) <= 2 || count(kUnlabelled) <= 2) return;
    if (options_.raw_posterior &&
        Random(seed_, "component order", static_cast<uint64_t>(began_)).chance(0.5F))
      for (float& p : posterior) p = 1 - p;
    ids_ = memory.ids(), part_ = std::move(part), posterior_ = std::move(posterior);
    if (epoch + 1 == kit.trainer.options().epochs) warn_of_lost_classes(evidence->rows());
  }

  /// A network that fits little yet when warm-up ends finds a few classes easy, learns from those alone and
  /// finds the others harder still. `classes`: int64 [N], of the memory's rows.
  void warn_of_lost_classes(const at::Tensor& classes) const {
    std::set<int64_t> held, trusted;
    for (size_t i = 0; i < part_.size(); ++i) {
      const int64_t row = classes.const_data_ptr<int64_t>()[i];
      held.insert(row);
      if (part_[i] == kClean) trusted.insert(row);
    }
    if (2 * trusted.size() < held.size())
      log_warning(
          fmt::format("robust = puridiver: {} of the memory's {} classes have samples that count as "
                      "clean, the others are not learned from: let the network fit more before "
                      "(robust.warmup = {}; train.stream_lr_factor)",
                      trusted.size(), held.size(), options_.warmup));
  }

  /// A sure prediction is worth more than the label, an unsure one is not.
  void split_noisy(Evidence& evidence, const std::vector<int64_t>& noisy, std::vector<int64_t>& part) const {
    if (noisy.empty()) return;
    const at::Tensor unsure = 1 - evidence.probabilities().index_select(0, at::tensor(noisy)).amax(1);
    const std::vector<float> sure = lower_of_two_gaussians(floats(unsure.contiguous()));
    for (size_t i = 0; i < noisy.size(); ++i)
      part[static_cast<size_t>(noisy[i])] = (sure[i] > 0.5F) != options_.swap ? kRelabelled : kUnlabelled;
  }

  /// Of one part, in an order of this epoch.
  std::vector<int64_t> rows_of(Part wanted) const {
    std::vector<int64_t> rows;
    for (size_t i = 0; i < part_.size(); ++i)
      if (part_[i] == wanted) rows.push_back(static_cast<int64_t>(i));
    Random random(seed_, kPartNames[wanted], static_cast<uint64_t>(began_));
    shuffle(rows, random);
    return rows;
  }

  /// ( |L| L_L + |R| L_R + |U| L_U ) / ( |L| + |R| + |U| ), all views in one batch.
  void step(ReplayKit& kit, const std::vector<int64_t>& clean, const std::vector<int64_t>& relabelled,
            const std::vector<int64_t>& unlabelled, double lr) const {
    Trainer& trainer = kit.trainer;
    const Memory& memory = kit.rehearsal.memory();
    const Samples l = memory.take(clean), r = memory.take(relabelled), u = memory.take(unlabelled);
    const Augmentation weak = trainer.augmentation().weak(), strong = trainer.augmentation().strong();
    const Prepared own = trainer.prepare(l, Targets::of(l, trainer.labels()));
    NetworkInput inputs = own.inputs;
    inputs.rows = at::cat({own.inputs.rows, trainer.view(r, weak).rows, trainer.view(r, strong).rows,
                           trainer.view(u, weak).rows, trainer.view(u, strong).rows});
    const Samples batch = concat(std::vector<Samples>{l, r, r, u, u});
    const at::Tensor given = trainer.labels().rows(r.tensor(column::kLabel));
    std::vector<float> trust;
    for (const int64_t row : relabelled) trust.push_back(posterior_[static_cast<size_t>(row)]);
    const int64_t nl = l.size(), nr = r.size(), nu = u.size();
    trainer.step(batch, inputs, Targets::of(batch, trainer.labels()), lr, [&](const StepView& view) {
      const at::Tensor& logits = view.outputs.logits;
      const auto rows = [&](int64_t begin, int64_t count) { return logits.narrow(0, begin, count); };
      const at::Tensor guess = at::softmax(rows(nl, nr).detach(), 1);
      const at::Tensor p = at::tensor(trust).to(logits.device()).unsqueeze(1);
      const at::Tensor label = at::one_hot(given.to(logits.device()), logits.size(1));
      const at::Tensor clean_loss = own.targets.mean_loss(rows(0, nl));
      const at::Tensor relabelled_loss =
          cross_entropies(rows(nl + nr, nr), p * label + (1 - p) * guess).mean();
      const at::Tensor consistency = (rows(nl + 2 * nr, nu) - rows(nl + 2 * nr + nu, nu)).square().mean();
      return (clean_loss * nl + relabelled_loss * nr + consistency * nu) / static_cast<double>(nl + nr + nu);
    });
  }

  RobustOptions options_;
  uint64_t seed_;
  std::vector<int64_t> ids_, part_;  ///< of the memory's rows, as it was when this epoch (or the last) began
  std::vector<float> posterior_;
  int64_t at_ = 0, began_ = 0;  ///< batches done of this epoch; steps taken before it
};

}  // namespace

std::vector<float> probably_clean(Evidence& evidence) {
  const at::Tensor losses = evidence.losses().contiguous();
  const auto low = losses.min(), high = losses.max();
  return lower_of_two_gaussians(floats(((losses - low) / (high - low).clamp_min(1e-12)).contiguous()));
}

std::unique_ptr<RobustTraining> make_puridiver(const LearnerSetup& setup) {
  return std::make_unique<PuridiverTraining>(setup);
}

}  // namespace perennial
