#pragma once

#include <algorithm>
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
  /// Tried are middle * below and the smaller one of middle * above and `most`; the middle moves by the
  /// factor `step` < 1, up to `most`. `length`: trials of each that are compared.
  TwoValues(double middle, double below, double above, double step, int64_t length, double most);
  /// The one in turn.
  double value() const { return high_turn_ ? high() : low(); }
  double high() const { return std::min(middle_ * above_, most_); }
  double low() const { return middle_ * below_; }
  /// What the one in turn has brought (more is better; no number counts as nothing); the other one's turn.
  void brought(double gain);
  /// Only these ways may it move.
  void may_move(bool up, bool down) { up_ = up, down_ = down; }

  void save(State& state, const std::string& prefix) const;
  void load(const State& state, const std::string& prefix);

 private:
  double middle_, below_, above_, step_, most_;
  int64_t length_;
  bool high_turn_ = true, up_ = true, down_ = true;
  std::vector<double> of_high_, of_low_;
};

}  // namespace perennial
