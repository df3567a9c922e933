#pragma once

#include <vector>

#include "perennial/memory/policy.h"

namespace perennial {

/// Rainbow Memory's choice (from certain to uncertain, evenly by rank) kept up as samples arrive, ours. Each
/// sample stands for a number of samples of its class that have arrived. What arrives enters and stands for
/// itself; then, in the largest class in order of uncertainty, the two neighbours that stand for the fewest
/// together become one: either stays with a probability in proportion to what it stood for, and stands for
/// both (pair aggregation of structure-aware sampling: Cohen, Cormode, Duffield, VLDB 2011, section 2). Of
/// equally large classes it is the one with the lightest pair, which is that of what has just arrived. So the
/// classes are equally many, the ranks of uncertainty are spread evenly, and early samples stay, with some
/// lean to late ones (of 200 of a class of which 20 are kept, the last 50 make up a third). The uncertainty
/// of what arrives is found out at once, that of the memory in turn, `refresh` samples at each batch.
class SpreadPolicy : public Policy {
 public:
  SpreadPolicy(uint64_t seed, int64_t refresh) : seed_(seed), refresh_(refresh) {}
  bool online() const override { return true; }
  void offer(Memory& memory, const Samples& batch, const AskEvidence& ask) override;
  void save(State& state, const std::string& prefix) const override;
  void load(const State& state, const std::string& prefix) override;

  /// The lower of the two neighbouring places with the least sum of `weights`, of equals the first from
  /// `from` on. Two weights at least.
  static size_t lightest_pair(const std::vector<float>& weights, size_t from = 0);

 private:
  struct Known {
    float uncertainty = 0;
    float weight = 1;  ///< how many samples of its class it stands for
  };
  struct Ordered {
    std::vector<size_t> places;
    std::vector<float> weights;
  };
  /// The places in `rows`, which are of one class, in order of uncertainty, and what those stand for.
  static Ordered in_order(const std::vector<Known>& known, const std::vector<int64_t>& rows);
  /// The least that two neighbours of one class stand for.
  static double lightest(const std::vector<Known>& known, const std::vector<int64_t>& rows);
  /// The place in `rows`, which are of one class, of the one to go; its neighbour takes its weight over.
  static size_t merge(std::vector<Known>& known, const std::vector<int64_t>& rows, Random& random);
  /// Of the memory's rows and the batch's behind them.
  std::vector<Known> look_at(const Memory& memory, const Samples& batch, const AskEvidence& ask);

  uint64_t seed_;
  int64_t refresh_, offers_ = 0, turn_ = 0;
  std::vector<Known> known_;  ///< of the memory's rows
};

}  // namespace perennial
