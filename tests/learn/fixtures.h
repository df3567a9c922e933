#pragma once

#include <memory>
#include <string>

#include <ATen/ops/empty.h>

#include "perennial/base/progress.h"
#include "perennial/base/random.h"
#include "perennial/learn/method.h"

namespace perennial {

/// Small images of one channel whose left, right, upper or lower half is bright: four classes that a small
/// net learns.
inline Samples halves(int64_t n, const std::vector<int64_t>& classes, uint64_t seed, int64_t first_id = 0) {
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

inline LearnerSetup small_setup() {
  LearnerSetup setup;
  setup.model.width = 0.1;
  setup.input_shape = {1, 4, 4};
  setup.is_digits = true;
  setup.labels = 4;
  setup.memory = MemoryBudget::parse("20");
  return setup;
}

inline std::unique_ptr<Learner> make_learner(
    const std::string& name, LearnerSetup setup = small_setup(),
    const std::vector<std::pair<std::string, std::string>>& options = {}) {
  const Method& method = find_method(name);
  const auto own = method.options();
  own->adjust(setup.train);
  OptionTable table;
  own->bind(table);
  for (const auto& [key, value] : options) table.set(key, value);
  return method.make(setup, *own);
}

inline void learn_task(Learner& learner, const Samples& task) {
  Progress silent;
  for (int64_t at = 0; at < task.size();) {
    const int64_t n = std::min(learner.wanted(), task.size() - at);
    std::vector<int64_t> rows(n);
    for (int64_t i = 0; i < n; ++i) rows[i] = at + i;
    learner.observe(take(task, rows));
    at += n;
  }
  while (learner.consolidate(silent)) {
  }
}

inline double accuracy(Learner& learner, const Samples& test) {
  const at::Tensor right = learner.predict(test).argmax(1).eq(test.tensor(column::kLabel));
  return right.to(at::kDouble).mean().item<double>();
}

}  // namespace perennial
