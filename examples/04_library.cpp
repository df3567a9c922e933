// Rainbow Memory by hand: a stream, a network, votes over perturbed views, a memory that keeps each class
// from certain to uncertain. `perennial learn --learner rm` is this with everything around it.
#include <cstdio>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "perennial/base/progress.h"
#include "perennial/data/augment.h"
#include "perennial/data/dataset.h"
#include "perennial/data/stream.h"
#include "perennial/memory/policy.h"
#include "perennial/memory/rainbow.h"
#include "perennial/memory/replay_order.h"
#include "perennial/nn/classifier.h"
#include "perennial/nn/loss.h"
#include "perennial/nn/optimiser.h"
#include "perennial/nn/schedule.h"

using namespace perennial;

namespace {

constexpr uint64_t kSeed = 1;
constexpr int64_t kClasses = 10, kHalf = 8, kMemory = 100, kEpochs = 5;
constexpr double kRate = 0.05;

void train_step(Classifier& net, Optimiser& optimiser, const Samples& batch, double rate) {
  if (batch.size() < 2) return;  // batch normalisation needs two
  cross_entropy(net.train_logits(batch), batch.tensor(column::kLabel)).backward();
  optimiser.step(rate);
}

// What the policy asks for, equation 3 of the paper: u(x) = 1 - max_c S_c(x) / A, with S_c(x) the votes of A
// perturbed views for class c.
class Votes : public Evidence {
 public:
  Votes(const Classifier& net, const Samples& candidates, int64_t seen, uint64_t task)
      : net_(net), candidates_(candidates), seen_(seen), task_(task) {}
  const Samples& samples() const override { return candidates_; }
  int64_t classes() const override { return seen_; }
  std::vector<float> make_uncertainty() override {
    at::Tensor votes = at::zeros({candidates_.size(), net_.classes()}, at::kLong);
    for (int view = 0; view < kPerturbations; ++view)
      votes += at::one_hot(net_.logits(perturb(candidates_.tensor(column::kImage), candidates_.ids(),
                                               Perturbation::kVrRandAugment, view, kSeed, task_))
                               .argmax(1),
                           net_.classes());
    return variation_ratio(votes, kPerturbations);
  }

 private:
  const Classifier& net_;
  const Samples& candidates_;
  int64_t seen_;
  uint64_t task_;
};

double accuracy(Classifier& net, const Dataset& test) {
  const at::Tensor right = net.logits(test.inputs).argmax(1).eq(at::tensor(test.labels));
  return right.to(at::kDouble).mean().item<double>();
}

}  // namespace

int main() {
  at::set_num_threads(1);  // a network this small gains nothing from more
  Progress silent;
  const DataSource digits = load_data({.source = "digits"}, silent);
  Stream stream(std::make_shared<Dataset>(digits.train),
                make_tasks({.kind = "disjoint", .tasks = 5}, kSeed, digits.train));
  Classifier net({.name = "mlp400"}, HeadKind::kLinear, digits.train.input_shape(),
                 digits.train.normalisation, {}, kSeed);
  net.grow(kClasses);
  Memory memory({.samples = kMemory});
  const auto policy = make_policy({.name = "rainbow"}, kSeed);
  ReplayOrder replay(kSeed);

  for (int64_t classes = 2; !stream.finished(); classes += 2) {
    const auto task = static_cast<uint64_t>(stream.task());
    Optimiser sgd({{net.parameters(), 1e-4}}, {});
    Samples candidates = memory.samples();
    for (int64_t left = stream.left_in_task(); left > 0;) {  // half stream, half memory
      const Samples batch = stream.next(kHalf).samples;
      train_step(net, sgd, concat(batch, memory.take(replay.next(kHalf, memory.size()))), kRate / 10);
      candidates = concat(candidates, batch);
      left -= batch.size();
    }
    Votes votes(net, candidates, classes, task);
    const Choice choice = policy->select(votes, kMemory, task);
    memory.replace(take(candidates, choice.rows), choice.scores);
    const int64_t steps = memory.size() / kHalf;
    for (int64_t i = 0; i < kEpochs * steps; ++i)  // epochs over the memory alone, one cosine to zero
      train_step(net, sgd, memory.take(replay.next(kHalf, memory.size())),
                 cosine_to_zero(kRate, i, kEpochs * steps));
    std::printf("task %d: accuracy on all ten digits %.1f %%\n", static_cast<int>(task) + 1,
                100 * accuracy(net, digits.test));
  }
  return memory.size() == kMemory && accuracy(net, digits.test) > 0.8 ? 0 : 1;
}
