// Few labels, asked for where they tell most: a pool without labels, rounds in which the samples with the
// least margin between their two best classes are shown to somebody, and every round's answers as one more
// task of the stream, which a learner of bounded memory learns as it does any other.
#include <algorithm>
#include <cstdio>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "perennial/base/random.h"
#include "perennial/data/dataset.h"
#include "perennial/data/stream.h"
#include "perennial/learn/method.h"
#include "perennial/memory/evidence.h"
#include "perennial/nn/device.h"

using namespace perennial;

namespace {

constexpr int64_t kRounds = 6, kLabels = 25;  // of each round
constexpr uint64_t kSeed = 1;

double accuracy(const Learner& learner, const Dataset& test) {
  const at::Tensor right =
      learner.predict(test.unlabelled(0, test.size())).argmax(1).eq(at::tensor(test.labels));
  return right.to(at::kDouble).mean().item<double>();
}

// Of the rows, which are in random order, those to be labelled next.
std::vector<int64_t> choose(Learner& learner, const Dataset& pool, std::vector<int64_t> rows,
                            bool by_margin) {
  if (by_margin) {
    const auto evidence = learner.evidence(pool.get(rows));
    const at::Tensor best = std::get<0>(evidence->probabilities().topk(2, 1));
    const at::Tensor order = (best.select(1, 0) - best.select(1, 1)).argsort();
    std::vector<int64_t> by_order;
    for (int64_t i = 0; i < kLabels; ++i) by_order.push_back(rows[order[i].item<int64_t>()]);
    rows = by_order;
  }
  rows.resize(kLabels);
  return rows;
}

double learn(const DataSource& digits, bool by_margin) {
  const Method& method = find_method("er");
  const auto options = method.options();
  LearnerSetup setup{.model = {"mlp400", 0.5}, .memory = {.samples = 100}};
  setup.train.epochs = 20;
  setup.input_shape = digits.train.input_shape();
  setup.normalisation = digits.train.normalisation;
  setup.is_digits = true;
  setup.labels = 10;
  const auto learner = method.make(setup, *options);

  const auto oracle = std::make_shared<Dataset>(digits.train);  // who knows the labels
  Dataset pool = digits.train;
  pool.labels.clear();
  std::vector<int64_t> unlabelled(static_cast<size_t>(pool.size()));
  std::iota(unlabelled.begin(), unlabelled.end(), int64_t{0});
  Random random(kSeed, "pool");
  shuffle(unlabelled, random);
  Stream stream;
  Progress silent;
  for (int64_t round = 1; round <= kRounds; ++round) {
    Task task{choose(*learner, pool, unlabelled, by_margin && round > 1), {}};
    for (const int64_t row : task.rows) std::erase(unlabelled, row);
    stream.grow(oracle, {task});
    learner->task_data(oracle, task.rows);
    while (!stream.finished()) learner->observe(stream.next(learner->wanted()).samples);
    while (learner->consolidate(silent)) {
    }
    std::printf("%3d labels: %.1f %%\n", static_cast<int>(round * kLabels),
                100 * accuracy(*learner, digits.test));
  }
  return accuracy(*learner, digits.test);
}

}  // namespace

int main() {
  use_threads(1);
  Progress silent;
  const DataSource digits = load_data({.source = "digits"}, silent);
  std::printf("by chance\n");
  const double chance = learn(digits, false);
  std::printf("by least margin\n");
  const double margin = learn(digits, true);
  return margin > chance && chance > 0.5 ? 0 : 1;
}
