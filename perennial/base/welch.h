#pragma once

#include <span>

namespace perennial {

/// Welch's t-test, one-sided: the probability of a difference of means as large as that of `a` over `b`, or
/// larger, were both means the same. Near 0: the mean of `a` is the larger one; near 1: the smaller one. 0.5
/// for fewer than two numbers on a side; 0 or 1 where neither side varies.
double welch_p_greater(std::span<const double> a, std::span<const double> b);

}  // namespace perennial
