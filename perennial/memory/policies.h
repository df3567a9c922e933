#pragma once

#include <map>
#include <set>
#include <string>

#include "perennial/memory/policy.h"

namespace perennial {

/// Class-balanced uniform choice at each boundary.
class RandomPolicy : public Policy {
 public:
  explicit RandomPolicy(uint64_t seed) : seed_(seed) {}
  bool online() const override { return false; }
  Choice select(Evidence& candidates, int64_t capacity, uint64_t position) override;

 private:
  uint64_t seed_;
};

/// What policies that decide as samples arrive have in common: random draws by how much has been offered.
class OnlinePolicy : public Policy {
 public:
  explicit OnlinePolicy(uint64_t seed) : seed_(seed) {}
  bool online() const override { return true; }
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

 protected:
  uint64_t seed_;
  int64_t seen_ = 0;  ///< samples, or batches where a policy decides on those
};

/// Reservoir sampling (Vitter 1985, algorithm R): after n samples each is kept with probability capacity / n.
class ReservoirPolicy : public OnlinePolicy {
 public:
  using OnlinePolicy::OnlinePolicy;
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
};

/// GDumb's greedy balancing sampler (Prabhu, Torr, Dokania, ECCV 2020, algorithm 1): a sample of a class that
/// holds less than capacity / classes enters and, when memory is full, replaces a random one of the largest
/// class.
class GreedyBalancedPolicy : public OnlinePolicy {
 public:
  using OnlinePolicy::OnlinePolicy;
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
};

/// Class-balancing reservoir sampling (Chrysakis and Moens, ICML 2020, algorithm 1; PuriDivER's comparisons
/// call a form of it GBS): once memory is full a sample of a class that was not the largest since replaces
/// a random one of the largest; of any other it replaces a random one of its own with the probability that
/// keeps the class a uniform sample of what arrived of it.
class BalancedReservoirPolicy : public OnlinePolicy {
 public:
  using OnlinePolicy::OnlinePolicy;
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

 private:
  std::map<int64_t, int64_t> seen_of_;  ///< by label
  std::set<int64_t> full_;              ///< labels that were the largest once
};

/// Herding (Rebuffi et al., iCaRL, CVPR 2017, algorithm 4): per class, repeatedly the sample that brings the
/// mean of the chosen (normalised) features nearest to the class mean. A running sum makes each pick O(nD).
class HerdingPolicy : public Policy {
 public:
  explicit HerdingPolicy(uint64_t seed) : seed_(seed) {}
  bool online() const override { return false; }
  Choice select(Evidence& candidates, int64_t capacity, uint64_t position) override;

 private:
  uint64_t seed_;
};

/// Rainbow Memory: see rainbow.h.
class RainbowPolicy : public Policy {
 public:
  RainbowPolicy(uint64_t seed, std::string stride, std::string ties)
      : seed_(seed), stride_(std::move(stride)), ties_(std::move(ties)) {}
  bool online() const override { return false; }
  Choice select(Evidence& candidates, int64_t capacity, uint64_t position) override;

 private:
  uint64_t seed_;
  std::string stride_, ties_;
};

/// The most certain (or most uncertain) of each class only: the controls of Rainbow Memory's ablation.
class ExtremePolicy : public Policy {
 public:
  ExtremePolicy(uint64_t seed, bool most_certain) : seed_(seed), most_certain_(most_certain) {}
  bool online() const override { return false; }
  Choice select(Evidence& candidates, int64_t capacity, uint64_t position) override;

 private:
  uint64_t seed_;
  bool most_certain_;
};

/// The selection of NTD (digest of its public code: the loss averaged over five crops): of the largest class
/// the sample with the largest loss goes, since wrong labels are hard whatever the view.
class CropLossPolicy : public OnlinePolicy {
 public:
  using OnlinePolicy::OnlinePolicy;
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
};

}  // namespace perennial
