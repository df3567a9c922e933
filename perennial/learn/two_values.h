#pragma once

#include <string>
#include <vector>

#include "perennial/io/state.h"

namespace perennial {

/// A value that is kept where it helps learning most, by trying: two values, a factor apart, are used in
/// turn, and what each brings is remembered. When one is significantly better (Welch's t-test at 0.05 over
/// the last trials of both), both move its way and the trials begin anew. CLIB's adaptive learning rate (Koh
/// et al., ICLR 2022); DropTop's intensity follows the same pattern.
class TwoValues {
 public:
  /// The higher value and `factor` < 1, by which the lower one is below it; both move by the factor `step`
  /// < 1. `length`: trials of each that are compared. They stay in (0, most].
  TwoValues(double high, double factor, double step, int64_t length, double most);
  /// The one in turn.
  double value() const { return high_turn_ ? high_ : low_; }
  double high() const { return high_; }
  double low() const { return low_; }
  /// What the one in turn has brought (more is better); the other one's turn.
  void brought(double gain);
  /// Only these ways may it move.
  void may_move(bool up, bool down) { up_ = up, down_ = down; }

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  double high_, low_, factor_, step_, most_;
  int64_t length_;
  bool high_turn_ = true, up_ = true, down_ = true;
  std::vector<double> of_high_, of_low_;
};

}  // namespace perennial
