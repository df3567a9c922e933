#include "tests/learn/fixtures.h"

#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>

#include "examples/05_own_learner/dark_replay.h"
#include "examples/05_own_learner/drop_channels.h"
#include "examples/05_own_learner/least_loss.h"
#include "perennial/base/random.h"

namespace perennial {

Samples halves(int64_t n, const std::vector<int64_t>& classes, uint64_t seed, int64_t first_id) {
  at::Tensor images = at::empty({n, 1, 4, 4}, at::kByte), label = at::empty({n}, at::kLong);
  std::vector<int64_t> ids;
  auto* pixels = images.mutable_data_ptr<uint8_t>();
  auto* labels = label.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < n; ++i) {
    Random random(seed, "halves", 0, static_cast<uint64_t>(first_id + i));
    labels[i] = classes[static_cast<size_t>(i) % classes.size()];
    for (int64_t p = 0; p < 16; ++p) {
      const bool bright[] = {p % 4 < 2, p % 4 >= 2, p < 8, p >= 8};
      pixels[i * 16 + p] = static_cast<uint8_t>((bright[labels[i]] ? 150 : 40) + random.below(60));
    }
    ids.push_back(first_id + i);
  }
  return {std::move(ids), {{column::kImage, images}, {column::kLabel, label}}};
}

LearnerSetup small_setup() {
  LearnerSetup setup;
  setup.model.width = 0.1;
  setup.input_shape = {1, 4, 4};
  setup.is_digits = true;
  setup.labels = 4;
  setup.memory = MemoryBudget::parse("20");
  return setup;
}

std::string Switched::text() const {
  std::string text = method + (as_released ? " as released" : "");
  for (const auto& [option, value] : options) text += " " + option + "=" + value;
  return text;
}

std::unique_ptr<Learner> make_learner(const Switched& what, LearnerSetup setup) {
  const Method& method = find_method(what.method);
  const auto own = method.options();
  own->adjust(setup.train);
  OptionTable table;
  setup.train.bind(table);
  own->bind(table);
  if (what.as_released) {
    table.set_as_released();
    own->adjust_as_released(setup.train);
  }
  for (const auto& [name, value] : what.options) table.set(name, value);
  return method.make(setup, *own);
}

int64_t observe_next(Learner& learner, const Samples& task, int64_t at) {
  const int64_t n = std::min(learner.wanted(), task.size() - at);
  std::vector<int64_t> rows(n);
  std::iota(rows.begin(), rows.end(), at);
  learner.observe(take(task, rows));
  return n;
}

void observe(Learner& learner, const Samples& task, const std::function<void()>& after) {
  for (int64_t at = 0; at < task.size();) {
    at += observe_next(learner, task, at);
    if (after) after();
  }
}

void learn_task(Learner& learner, const Samples& task) {
  Progress silent;
  observe(learner, task);
  while (learner.consolidate(silent)) {
  }
}

double accuracy(const Predictor& predictor, const Samples& test) {
  const at::Tensor right = predictor.predict(test).argmax(1).eq(test.tensor(column::kLabel));
  return right.to(at::kDouble).mean().item<double>();
}

std::vector<std::string> differences(const Learner& a, const Learner& b) {
  const TensorFile first = a.model(), second = b.model();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : first.tensors) {
    const auto found = second.tensors.find(name);
    if (found == second.tensors.end() || !at::equal(tensor, found->second)) names.push_back(name);
  }
  if (first.tensors.size() != second.tensors.size()) names.emplace_back("(their number)");
  return names;
}

double kept_accuracy(const std::string& method) {
  const auto learner = make_learner({method, {{"epochs", "10"}}});
  learn_task(*learner, halves(200, {0, 1}, 1));
  learn_task(*learner, halves(200, {2, 3}, 1, 200));
  return accuracy(*learner, halves(100, {0, 1}, 2, 1000));
}

std::vector<std::string> all_methods() {
  static const bool once = [] {
    register_policy(least_loss_policy());
    register_method(dark_method());
    const auto drop = [](const LearnerSetup&) { return std::make_unique<DropChannels>("fc1", 0.1); };
    for (const char* host : {"er", "rm", "dark"})
      register_method(with_plugin(find_method(host), std::string(host) + "-drop", "wrapped", drop));
    return true;
  }();
  std::vector<std::string> names;
  for (const Method& m : methods())
    if (once) names.push_back(m.name);
  return names;
}

}  // namespace perennial
