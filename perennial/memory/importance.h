#pragma once

#include <map>

#include "perennial/memory/policy.h"

namespace perennial {

/// CLIB's sample-wise importance memory (Koh, Kim, Ha, Choi: "Online Continual Learning on Class Incremental
/// Blurry Task Configuration with Anytime Inference", ICLR 2022, section 4.1). What arrives enters; of the
/// class that is then the largest the sample that matters least goes. How much a sample matters is how far
/// the loss on the memory falls in steps that it takes part in: H <- ema H + (1 - ema) (mean fall). A new
/// sample matters as much as its class does in the mean.
class ImportanceMemory : public Policy {
 public:
  explicit ImportanceMemory(double ema) : ema_(ema) {}
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  /// The network has taken steps on samples of these ids since the last call; `losses` [N] are those of the
  /// memory's samples now. Gives the mean fall of those that were there at the last call; nothing at first.
  std::optional<double> trained_on(const Memory& memory, std::span<const int64_t> ids,
                                   std::span<const float> losses);
  /// As if they had never been seen.
  void forget_losses() { losses_.clear(); }
  /// Of a sample in the memory; 0 of others.
  double importance(int64_t id) const;

  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

 private:
  double ema_;
  int64_t offers_ = 0;
  std::map<int64_t, double> importance_, losses_;  ///< by id
};

}  // namespace perennial
