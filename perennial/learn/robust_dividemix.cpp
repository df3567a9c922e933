#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include "perennial/base/random.h"
#include "perennial/learn/robust_kinds.h"

namespace perennial {
namespace {

/// Of Beta(shape, shape) for a whole shape, folded to [0.5, 1]: from two sums of exponentials.
double draw_mixing(int64_t shape, Random random) {
  const auto gamma = [&] {
    double sum = 0;
    for (int64_t i = 0; i < shape; ++i) sum -= std::log(1.0 - static_cast<double>(random.uniform()));
    return sum;
  };
  const double a = gamma(), b = gamma();
  const double share = a + b > 0 ? a / (a + b) : 0.5;
  return std::max(share, 1 - share);
}

at::Tensor sharpened(const at::Tensor& probabilities, double temperature) {
  const at::Tensor raised = probabilities.pow(1 / temperature);
  return raised / raised.sum(at::IntArrayRef{1}, true);
}

class DivideMix : public SecondNetwork {
 public:
  DivideMix(const LearnerSetup& setup, const TrainerParts& parts)
      : SecondNetwork(setup, parts), options_(setup.train.robust) {}

  void epoch(ReplayKit& kit, int64_t epoch, Progress& progress) override {
    second_.show(&kit.rehearsal.memory());
    if (!inside_) begin(kit, epoch);
    Trainer* const nets[] = {&kit.trainer, &second_};
    for (; half_ < 2; ++half_) train(kit, *nets[half_], *nets[1 - half_], epoch, progress);
    inside_ = false;
  }

  const Trainer* partner() const override { return options_.dividemix_both ? &second_ : nullptr; }

  std::map<int64_t, std::string> verdicts() const override {
    std::map<int64_t, std::string> all;
    for (size_t i = 0; i < std::min(ids_.size(), clean_[0].size()); ++i)
      all[ids_[i]] = clean_[0][i] > 0.5F ? "clean" : "unlabelled";
    return all;
  }

  void save(State& state, const std::string& prefix) const override {
    SecondNetwork::save(state, prefix);
    state.put_ints(prefix + "ids", ids_);
    for (int net = 0; net < 2; ++net) state.put_floats(prefix + "clean" + std::to_string(net), clean_[net]);
    state.put(prefix + "half", half_);
    state.put(prefix + "inside", inside_);
  }
  void load(const State& state, const std::string& prefix) override {
    SecondNetwork::load(state, prefix);
    ids_ = state.ints(prefix + "ids");
    for (int net = 0; net < 2; ++net) clean_[net] = state.floats(prefix + "clean" + std::to_string(net));
    half_ = state.value<int64_t>(prefix + "half");
    inside_ = state.value<bool>(prefix + "inside");
  }

 private:
  /// Each network divides the memory for the other.
  void begin(ReplayKit& kit, int64_t epoch) {
    half_ = 0;
    inside_ = true;
    ids_.clear(), clean_[0].clear(), clean_[1].clear();
    const Samples& memory = kit.rehearsal.memory().samples();
    if (epoch < options_.warmup || memory.empty()) return;
    const auto of = [&](const Trainer& net) {
      return probably_clean(*std::make_unique<NetworkEvidence>(net, memory, nullptr, 0, nullptr, nullptr));
    };
    ids_ = memory.ids();
    clean_[0] = of(second_), clean_[1] = of(kit.trainer);
  }

  void train(ReplayKit& kit, Trainer& net, const Trainer& other, int64_t epoch, Progress& progress) {
    const Memory& memory = kit.rehearsal.memory();
    const std::string title = memory_epoch_piece(kit, epoch).name;
    const int64_t batch = kit.trainer.memory_batch();
    const std::vector<float>& clean = clean_[half_];
    std::vector<int64_t> labelled, doubtful;
    for (size_t i = 0; i < clean.size(); ++i)
      (clean[i] > 0.5F ? labelled : doubtful).push_back(static_cast<int64_t>(i));
    if (labelled.empty() || doubtful.empty())
      return net.epoch(
          memory.size(), batch, epoch, title, progress,
          [&](std::span<const int64_t> rows, double lr) { plain_step(net, memory.take(rows), lr); });
    net.epoch(std::ssize(labelled), batch, epoch, title, progress,
              [&](std::span<const int64_t> positions, double lr) {
                std::vector<int64_t> own;
                for (const int64_t p : positions) own.push_back(labelled[static_cast<size_t>(p)]);
                mixed_step(net, other, memory, own, drawn(net, doubtful, std::ssize(own)), weight(epoch), lr);
              });
  }

  /// As many others, at random.
  static std::vector<int64_t> drawn(const Trainer& net, const std::vector<int64_t>& rows, int64_t count) {
    std::vector<int64_t> some;
    for (const int64_t p : permutation(
             std::ssize(rows), Random(net.setup().seed, "doubtful", static_cast<uint64_t>(net.steps()))))
      if (std::ssize(some) < count) some.push_back(rows[static_cast<size_t>(p)]);
    return some;
  }

  double weight(int64_t epoch) const {
    const double way =
        static_cast<double>(epoch - options_.warmup) / static_cast<double>(options_.dividemix_ramp);
    return options_.dividemix_weight * std::clamp(way, 0.0, 1.0);
  }

  void plain_step(Trainer& net, const Samples& batch, double lr) const {
    if (batch.size() < 2) return;
    const Prepared made = net.prepare(batch, Targets::of(batch, net.labels()));
    net.step(batch, made.inputs, made.targets, lr, [&](const StepView& view) {
      const at::Tensor loss = view.targets.mean_loss(view.outputs.logits);
      if (!options_.dividemix_asymmetric) return loss;
      const at::Tensor log_p = at::log_softmax(view.outputs.logits, 1);
      return loss + (log_p.exp() * log_p).sum(at::IntArrayRef{1}).mean();
    });
  }

  /// MixMatch over two views of each sample, with refined labels and guessed ones (the paper's algorithm 1).
  void mixed_step(Trainer& net, const Trainer& other, const Memory& memory, const std::vector<int64_t>& own,
                  const std::vector<int64_t>& doubtful, double weight, double lr) const {
    const Samples x = memory.take(own), u = memory.take(doubtful);
    Augmentation one = net.augmentation().strong(), two = one;
    two.purpose += "second ";
    const NetworkInput x1 = net.view(x, one), x2 = net.view(x, two), u1 = net.view(u, one),
                       u2 = net.view(u, two);
    const auto guess = [](const Trainer& by, const NetworkInput& view) {
      return at::softmax(by.net().logits(view), 1);
    };
    const at::Tensor label = at::one_hot(net.labels().rows(x.tensor(column::kLabel)), net.net().classes());
    std::vector<float> trust;
    for (const int64_t row : own) trust.push_back(clean_[half_][static_cast<size_t>(row)]);
    const at::Tensor w = at::tensor(trust).unsqueeze(1);
    const double t = options_.dividemix_temperature;
    const at::Tensor of_x = sharpened(w * label + (1 - w) * (guess(net, x1) + guess(net, x2)) / 2, t);
    const at::Tensor of_u =
        sharpened((guess(net, u1) + guess(net, u2) + guess(other, u1) + guess(other, u2)) / 4, t);
    const at::Tensor all = net.net().prepare(at::cat({x1.rows, x2.rows, u1.rows, u2.rows}));
    const at::Tensor targets = at::cat({of_x, of_x, of_u, of_u}).to(all.device());
    const Random random(net.setup().seed, "mixmatch", static_cast<uint64_t>(net.steps()));
    const double mixing = draw_mixing(static_cast<int64_t>(options_.dividemix_alpha), random);
    const at::Tensor partner =
        at::tensor(permutation(all.size(0), Random(net.setup().seed, "mixmatch partner",
                                                   static_cast<uint64_t>(net.steps()))))
            .to(all.device());
    NetworkInput inputs = x1;
    inputs.rows = all * mixing + all.index_select(0, partner) * (1 - mixing);
    const at::Tensor wanted = targets * mixing + targets.index_select(0, partner) * (1 - mixing);
    const Samples batch = concat(std::vector<Samples>{x, x, u, u});
    const int64_t labelled = 2 * x.size();
    net.step(batch, inputs, Targets::of(batch, net.labels()), lr, [&](const StepView& view) {
      const at::Tensor log_p = at::log_softmax(view.outputs.logits, 1), p = log_p.exp();
      const auto first = [&](const at::Tensor& v) { return v.narrow(0, 0, labelled); };
      const auto rest = [&](const at::Tensor& v) { return v.narrow(0, labelled, v.size(0) - labelled); };
      const at::Tensor of_labelled = -(first(log_p) * first(wanted)).sum(at::IntArrayRef{1}).mean();
      const at::Tensor of_doubtful = (rest(p) - rest(wanted)).square().mean();
      const double prior = 1.0 / static_cast<double>(p.size(1));
      const at::Tensor penalty = (prior * (prior / p.mean(0)).log()).sum();
      return of_labelled + weight * of_doubtful + penalty;
    });
  }

  RobustOptions options_;
  std::vector<int64_t> ids_;     ///< of the memory's rows
  std::vector<float> clean_[2];  ///< for each network, by the other: how probably each label is right
  int64_t half_ = 0;             ///< which network is being trained
  bool inside_ = false;          ///< an epoch
};

}  // namespace

std::unique_ptr<RobustTraining> make_dividemix(const LearnerSetup& setup, const TrainerParts& parts) {
  return std::make_unique<DivideMix>(setup, parts);
}

}  // namespace perennial
