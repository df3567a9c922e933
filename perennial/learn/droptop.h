#pragma once

#include <string>

#include "perennial/learn/debias.h"
#include "perennial/learn/plugin.h"
#include "perennial/learn/two_values.h"

namespace perennial {

struct LearnerSetup;

/// DropTop (Kim, Park, Shin, Bang, Song, Lee: "Adaptive Shortcut Debiasing for Online Continual Learning",
/// AAAI 2024), a **reconstruction**: the authors' code was never released. Certain are the idea and its two
/// parts: low and high feature maps are fused, and the positions of highest attention (shortcuts are
/// highly activated) are removed from the map of one layer, in a ratio that shifts by what it does to the
/// loss. Formulas and defaults are recalled or chosen: docs/methods/droptop.md has the table. Active in
/// training alone.
class DropTop : public Plugin {
 public:
  /// std::invalid_argument for a backbone without feature maps.
  DropTop(const LearnerSetup& setup, const DebiasOptions& options);
  std::string name() const override { return "droptop"; }
  at::Tensor feature_map(const Passage& at, at::Tensor map) override;
  void after_step(const Surroundings& around) override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

  double kappa() const;
  /// Fused attention float [N, H, W], each sample's from 0 to 1: mean over channels of |z|, the high map
  /// brought to the size of the low one. `fusion`: sum | product | low | high.
  static at::Tensor attention(const at::Tensor& low, const at::Tensor& high, const std::string& fusion);
  /// 1 for what stays, 0 for what is dropped, float [N, H, W]: of each sample the round(kappa n) positions of
  /// highest attention (less than one: one with that probability), and others at random up to
  /// round(gamma n).
  static at::Tensor mask(const at::Tensor& attention, double kappa, double gamma,
                         const std::vector<int64_t>& ids, uint64_t seed, uint64_t step);

 private:
  bool shifts() const { return options_.shift != "fixed" && options_.fusion != "random"; }

  DebiasOptions options_;
  uint64_t seed_;
  size_t target_;  ///< index of the stage
  TwoValues kappas_;
  Samples probe_;      ///< of the trial that is on
  double before_ = 0;  ///< loss on it when the trial began
  int64_t steps_ = 0;
};

}  // namespace perennial
