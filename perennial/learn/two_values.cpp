#include "perennial/learn/two_values.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "perennial/base/welch.h"

namespace perennial {
namespace {

constexpr double kSignificant = 0.05;

}  // namespace

TwoValues::TwoValues(double high, double factor, double step, int64_t length, double most)
    : high_(std::min(high, most)),
      low_(high_ * factor),
      factor_(factor),
      step_(step),
      most_(most),
      length_(length) {}

void TwoValues::brought(double gain) {
  std::vector<double>& own = high_turn_ ? of_high_ : of_low_;
  own.push_back(gain);
  if (std::ssize(own) > length_) own.erase(own.begin());
  high_turn_ = !high_turn_;
  if (std::ssize(of_high_) < length_ || std::ssize(of_low_) < length_) return;
  const double p = welch_p_greater(of_low_, of_high_);
  const bool falls = p < kSignificant && down_, rises = p > 1 - kSignificant && up_;
  if (!falls && !rises) return;
  high_ = falls ? high_ * step_ : std::min(high_ / step_, most_);
  low_ = high_ * factor_;
  of_high_.clear(), of_low_.clear();
}

void TwoValues::save(State& state, const std::string& prefix) const {
  state.put(prefix + "values", nlohmann::json{high_, low_, high_turn_, of_high_, of_low_});
}

void TwoValues::load(const State& state, const std::string& prefix) {
  const auto v = state.value<nlohmann::json>(prefix + "values");
  v.at(0).get_to(high_);
  v.at(1).get_to(low_);
  v.at(2).get_to(high_turn_);
  v.at(3).get_to(of_high_);
  v.at(4).get_to(of_low_);
}

}  // namespace perennial
