#include "perennial/learn/two_values.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "perennial/base/welch.h"

namespace perennial {
namespace {

constexpr double kSignificant = 0.05;

}  // namespace

TwoValues::TwoValues(double middle, double below, double above, double step, int64_t length, double most)
    : middle_(std::min(middle, most)),
      below_(below),
      above_(above),
      step_(step),
      most_(most),
      length_(length) {}

void TwoValues::brought(double gain) {
  std::vector<double>& own = high_turn_ ? of_high_ : of_low_;
  own.push_back(std::isfinite(gain) ? gain : 0);
  if (std::ssize(own) > length_) own.erase(own.begin());
  high_turn_ = !high_turn_;
  if (std::ssize(of_high_) < length_ || std::ssize(of_low_) < length_) return;
  const double p = welch_p_greater(of_low_, of_high_);
  const bool falls = p < kSignificant && down_, rises = p > 1 - kSignificant && up_;
  if (!falls && !rises) return;
  middle_ = falls ? middle_ * step_ : std::min(middle_ / step_, most_);
  of_high_.clear(), of_low_.clear();
}

void TwoValues::save(State& state, const std::string& prefix) const {
  state.put(prefix + "values", nlohmann::json{middle_, high_turn_, of_high_, of_low_});
}

void TwoValues::load(const State& state, const std::string& prefix) {
  const auto v = state.value<nlohmann::json>(prefix + "values");
  v.at(0).get_to(middle_);
  v.at(1).get_to(high_turn_);
  v.at(2).get_to(of_high_);
  v.at(3).get_to(of_low_);
}

}  // namespace perennial
