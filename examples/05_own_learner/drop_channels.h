// A plug-in, as an example: the channels that are strongest on the average are left out of a feature map.
#pragma once

#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>

#include "perennial/learn/plugin.h"

namespace perennial {

/// Drops a share of the channels of the map that leaves one stage: of each sample those with the largest
/// mean.
class DropChannels : public Plugin {
 public:
  DropChannels(std::string stage, double share) : stage_(std::move(stage)), share_(share) {}
  std::string name() const override { return "drop_channels"; }

  at::Tensor feature_map(const Passage& at, at::Tensor map) override {
    const auto count = static_cast<int64_t>(share_ * static_cast<double>(map.size(1)));
    if (at.stage.name != stage_ || count == 0) return map;
    const at::Tensor mean = map.detach().reshape({map.size(0), map.size(1), -1}).mean(2);
    const at::Tensor strongest = std::get<1>(mean.topk(count, 1));
    std::vector<int64_t> shape(static_cast<size_t>(map.dim()), 1);
    shape[0] = map.size(0), shape[1] = map.size(1);
    dropped_ += count * map.size(0);
    return map * at::ones(mean.sizes(), mean.options()).scatter(1, strongest, 0).view(shape);
  }

  void save(State& state, const std::string& prefix) const override {
    state.put(prefix + "dropped", dropped_);
  }
  void load(const State& state, const std::string& prefix) override {
    dropped_ = state.value<int64_t>(prefix + "dropped");
  }

 private:
  std::string stage_;
  double share_;
  int64_t dropped_ = 0;
};

}  // namespace perennial
