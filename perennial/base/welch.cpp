#include "perennial/base/welch.h"

#include <cmath>

namespace perennial {
namespace {

struct Moments {
  double mean, variance_of_mean, freedom;
};

Moments moments(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  double sum = 0, squares = 0;
  for (const double v : x) sum += v;
  for (const double v : x) squares += (v - sum / n) * (v - sum / n);
  return {sum / n, squares / (n - 1) / n, n - 1};
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz's method.
double continued_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300, kEnough = 1e-14;
  const auto sound = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / sound(1 - (a + b) * x / (a + 1)), result = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / sound(1 + term * d);
      c = sound(1 + term / c);
      change = c * d;
      result *= change;
    }
    if (std::abs(change - 1) < kEnough) break;
  }
  return result;
}

double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * continued_fraction(a, b, x) / a;
  return 1 - front * continued_fraction(b, a, 1 - x) / b;
}

}  // namespace

double welch_p_greater(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || b.size() < 2) return 0.5;
  const Moments x = moments(a), y = moments(b);
  const double variance = x.variance_of_mean + y.variance_of_mean, difference = x.mean - y.mean;
  if (variance <= 0) return difference > 0 ? 0 : difference < 0 ? 1 : 0.5;
  const double t = difference / std::sqrt(variance);
  const double freedom = variance * variance /
                         (x.variance_of_mean * x.variance_of_mean / x.freedom +
                          y.variance_of_mean * y.variance_of_mean / y.freedom);
  const double both_tails = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
  return t > 0 ? both_tails / 2 : 1 - both_tails / 2;
}

}  // namespace perennial
