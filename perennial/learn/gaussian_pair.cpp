#include "perennial/learn/gaussian_pair.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace perennial {
namespace {

constexpr int kRounds = 10;
constexpr double kTolerance = 1e-2, kFloor = 5e-4;

struct Gaussian {
  double weight, mean, variance;
  double log_density(double x) const {
    const double off = x - mean;
    return std::log(weight) - 0.5 * (std::log(2 * std::numbers::pi * variance) + off * off / variance);
  }
};
using Pair = std::array<Gaussian, 2>;

/// Where the smaller ones of `sorted` numbers end, by two-means.
size_t split(const std::vector<double>& sorted) {
  double low = sorted.front(), high = sorted.back();
  size_t at = 0;
  for (int round = 0; round < 100; ++round) {
    const auto middle = std::upper_bound(sorted.begin(), sorted.end(), (low + high) / 2);
    const auto next = static_cast<size_t>(middle - sorted.begin());
    if (next == at) break;
    at = next;
    const auto mean = [&](size_t begin, size_t end) {
      double sum = 0;
      for (size_t i = begin; i < end; ++i) sum += sorted[i];
      return sum / static_cast<double>(end - begin);
    };
    low = mean(0, at), high = mean(at, sorted.size());
  }
  return at;
}

/// The weighted moments; `share` are probabilities of the lower one.
Pair moments(const std::vector<double>& x, const std::vector<double>& share) {
  Pair pair{};
  for (int k = 0; k < 2; ++k) {
    double total = 0, sum = 0, squares = 0;
    const auto weight = [&](size_t i) { return k == 0 ? share[i] : 1 - share[i]; };
    for (size_t i = 0; i < x.size(); ++i) total += weight(i), sum += weight(i) * x[i];
    total = std::max(total, 1e-12);
    const double mean = sum / total;
    for (size_t i = 0; i < x.size(); ++i) squares += weight(i) * (x[i] - mean) * (x[i] - mean);
    pair[static_cast<size_t>(k)] = {total / static_cast<double>(x.size()), mean, squares / total + kFloor};
  }
  return pair;
}

/// Probabilities of the lower one; gives the mean log-likelihood.
double expect(const Pair& pair, const std::vector<double>& x, std::vector<double>& share) {
  double likelihood = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double a = pair[0].log_density(x[i]), b = pair[1].log_density(x[i]);
    const double most = std::max(a, b), both = most + std::log(std::exp(a - most) + std::exp(b - most));
    share[i] = std::exp(a - both);
    likelihood += both;
  }
  return likelihood / static_cast<double>(x.size());
}

}  // namespace

std::vector<float> lower_of_two_gaussians(std::span<const float> numbers) {
  std::vector<double> x(numbers.begin(), numbers.end());
  std::sort(x.begin(), x.end());
  if (x.empty() || x.front() == x.back()) return std::vector<float>(numbers.size(), 1.0F);
  std::vector<double> share(x.size(), 0.0);
  std::fill_n(share.begin(), split(x), 1.0);
  Pair pair = moments(x, share);
  double before = -1e300;
  for (int round = 0; round < kRounds; ++round) {
    const double now = expect(pair, x, share);
    if (std::abs(now - before) < kTolerance) break;
    before = now;
    pair = moments(x, share);
  }
  if (pair[0].mean > pair[1].mean) std::swap(pair[0], pair[1]);
  std::vector<double> own(numbers.begin(), numbers.end());
  share.resize(own.size());
  expect(pair, own, share);
  return {share.begin(), share.end()};
}

}  // namespace perennial
