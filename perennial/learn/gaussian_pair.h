#pragma once

#include <span>
#include <vector>

namespace perennial {

/// Fits two Gaussians to numbers by expectation maximisation (at most ten rounds, until the mean
/// log-likelihood moves by less than 0.01; 0.0005 is added to both variances) from the two-means partition,
/// and gives of each number the probability of the Gaussian with the smaller mean. The order of the numbers
/// does not matter. 1 for all of fewer than two different numbers.
std::vector<float> lower_of_two_gaussians(std::span<const float> numbers);

}  // namespace perennial
