#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "perennial/memory/policy.h"
#include "tests/memory/told.h"

namespace perennial {

/// A stream of points in the plane, in `classes` clouds around a circle, of which a share bears the label of
/// another cloud; and what a network would say of them that knows the centres.
class Plane {
 public:
  Plane(int64_t classes, int64_t points, double wrong, uint64_t seed) : classes_(classes) {
    centres_ = at::empty({classes, 2}, at::kFloat);
    for (int64_t c = 0; c < classes; ++c) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(c) / static_cast<double>(classes);
      centres_[c][0].fill_(3 * std::cos(angle)), centres_[c][1].fill_(3 * std::sin(angle));
    }
    std::vector<float> xy;
    for (int64_t i = 0; i < points; ++i) {
      Random random(seed, "plane", 0, static_cast<uint64_t>(i));
      const auto truth = static_cast<int64_t>(random.below(static_cast<uint32_t>(classes)));
      int64_t label = truth;
      if (random.chance(static_cast<float>(wrong)))
        label =
            (truth + 1 + static_cast<int64_t>(random.below(static_cast<uint32_t>(classes - 1)))) % classes;
      for (int d = 0; d < 2; ++d)
        xy.push_back(centres_[truth][d].item<float>() + static_cast<float>(0.6 * random.normal()));
      truth_.push_back(truth), label_.push_back(label);
    }
    points_ = at::tensor(xy).view({points, 2});
  }

  int64_t size() const { return std::ssize(label_); }
  Samples samples(int64_t begin, int64_t count) const {
    std::vector<int64_t> ids, labels;
    for (int64_t i = begin; i < begin + count; ++i) ids.push_back(i), labels.push_back(label_[i]);
    return {ids, {{column::kVector, points_.narrow(0, begin, count)}, {column::kLabel, at::tensor(labels)}}};
  }
  /// `rows_seen`: where samples are counted whose features are found out.
  AskEvidence ask(int64_t* rows_seen = nullptr) const {
    return [this, rows_seen](const Samples& samples) {
      auto told = std::make_unique<Told>(samples, classes_);
      told->rows_seen = rows_seen;
      told->features_told = samples.tensor(column::kVector);
      told->logits_told = -at::cdist(told->features_told, centres_).square();
      told->head_weight_told = centres_;
      const at::Tensor p = told->logits_told.softmax(1);
      for (const float u : floats(1 - std::get<0>(p.max(1)))) told->uncertainty_told.push_back(u);
      return told;
    };
  }
  /// The whole stream, eight at a time.
  void offer_all(Policy& policy, Memory& memory) const {
    for (int64_t at = 0; at < size(); at += 8)
      policy.offer(memory, samples(at, std::min<int64_t>(8, size() - at)), ask());
  }
  double purity(const std::vector<int64_t>& ids) const {
    double right = 0;
    for (const int64_t id : ids) right += label_[id] == truth_[id] ? 1 : 0;
    return right / static_cast<double>(ids.size());
  }
  /// Mean distance of two points of one label.
  double diversity(const Memory& memory) const {
    const at::Tensor points = memory.samples().tensor(column::kVector),
                     label = memory.samples().tensor(column::kLabel);
    const at::Tensor same = label.unsqueeze(0).eq(label.unsqueeze(1)).to(at::kFloat);
    return ((at::cdist(points, points) * same).sum() / same.sum()).item<double>();
  }

  static std::vector<float> floats(const at::Tensor& t) {
    const at::Tensor c = t.contiguous();
    return {c.const_data_ptr<float>(), c.const_data_ptr<float>() + c.numel()};
  }

 private:
  int64_t classes_;
  at::Tensor centres_, points_;
  std::vector<int64_t> truth_, label_;
};

inline std::unique_ptr<Memory> filled(const Plane& plane, const PolicyOptions& options, int64_t capacity,
                                      uint64_t seed = 1) {
  auto memory = std::make_unique<Memory>(MemoryBudget{.samples = capacity});
  const auto policy = make_policy(options, seed);
  plane.offer_all(*policy, *memory);
  return memory;
}

}  // namespace perennial
