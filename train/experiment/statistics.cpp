// Intervals over seeds: see the header.
#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace normlab {
namespace {

// P(|T| <= t) for an integer number n of degrees of freedom: Abramowitz & Stegun 26.7.3 and 26.7.4, a finite sum in the
// angle atan(t / sqrt(n)).
double two_sided_probability(double t, int n) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(n)));
  const double cosine = std::cos(angle), sine = std::sin(angle);
  double term = n % 2 == 0 ? 1 : cosine, sum = n == 1 ? 0 : term;
  for (int k = n % 2 == 0 ? 2 : 3; k <= n - 2; k += 2) {
    term *= cosine * cosine * (k - 1) / k;
    sum += term;
  }
  return n % 2 == 0 ? sine * sum : 2 / std::numbers::pi * (angle + sine * sum);
}

}  // namespace

double student_t(double level, int degrees_of_freedom) {
  if (degrees_of_freedom < 1) return std::numeric_limits<double>::infinity();
  double low = 0, high = 1;
  while (two_sided_probability(high, degrees_of_freedom) < level) high *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (two_sided_probability(middle, degrees_of_freedom) < level ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval mean_interval(const std::vector<double>& values, double level) {
  const auto count = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / count;
  if (values.size() < 2) return {values.empty() ? std::nan("") : mean, std::numeric_limits<double>::infinity()};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (count - 1));
  return {mean, student_t(level, static_cast<int>(values.size()) - 1) * deviation / std::sqrt(count)};
}

double quantile(std::vector<double> values, double p) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }))
    return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const double place = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double part = place - static_cast<double>(below);
  if (part == 0 || values[below] == values[below + 1]) return values[below];  // infinities, too
  return values[below] + part * (values[below + 1] - values[below]);
}

}  // namespace normlab
