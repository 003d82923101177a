// Intervals: see the header.
#include "estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "statistics.h"

namespace normlab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTail = 0.025;  // outside on each side

// P(X <= k) for X binomial with n trials of probability p.
double binomial_at_most(int k, int n, double p) {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  double sum = 0;
  for (int i = 0; i <= k; ++i) {
    const double ways = std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0);
    sum += std::exp(ways + i * std::log(p) + (n - i) * std::log1p(-p));
  }
  return sum;
}

// The p at which P(X <= k) is `probability`; it falls as p rises.
double binomial_root(int k, int n, double probability) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (binomial_at_most(k, n, middle) > probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Estimate median_estimate(std::vector<double> values) {
  const int count = static_cast<int>(values.size());
  std::vector<double> known = values, low = values, high = values;
  std::erase_if(known, [](double value) { return std::isnan(value); });
  std::replace_if(
      low.begin(), low.end(), [](double value) { return std::isnan(value); }, -kInfinity);
  std::replace_if(
      high.begin(), high.end(), [](double value) { return std::isnan(value); }, kInfinity);
  std::sort(known.begin(), known.end());
  std::sort(low.begin(), low.end());
  std::sort(high.begin(), high.end());
  Estimate median{std::nan(""), -kInfinity, kInfinity, "median, order statistics"};
  if (!known.empty()) {
    const double left = known[(known.size() - 1) / 2], right = known[known.size() / 2];
    median.value = left == right ? left : (left + right) / 2;
  }
  int j = 0;
  while (j < count && binomial_at_most(j, count, 0.5) <= kTail) ++j;
  if (j > 0) {
    median.low = low[static_cast<std::size_t>(j - 1)];
    median.high = high[static_cast<std::size_t>(count - j)];
  }
  return median;
}

Estimate share_estimate(int successes, int count) {
  const double share = count == 0 ? std::nan("") : static_cast<double>(successes) / count;
  const double low = successes == 0 ? 0 : binomial_root(successes - 1, count, 1 - kTail);
  const double high = successes == count ? 1 : binomial_root(successes, count, kTail);
  return {share, low, high, "share, Clopper and Pearson"};
}

Estimate estimate(const std::vector<double>& by_seed, Scale scale, int trials) {
  if (scale == Scale::share) {
    const int count = trials * static_cast<int>(by_seed.size());
    int successes = 0, unknown = 0;
    for (const double share : by_seed) {
      (std::isnan(share) ? unknown : successes) +=
          std::isnan(share) ? trials : static_cast<int>(std::lround(share * trials));
    }
    Estimate share = share_estimate(successes, count);
    share.high = share_estimate(successes + unknown, count).high;
    return share;
  }
  const bool logarithmic = scale == Scale::logarithmic;
  std::vector<double> values = by_seed;
  for (double& value : values) value = logarithmic ? std::log(value) : value;
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) {
    return median_estimate(by_seed);
  }
  const Interval mean = mean_interval(values);
  const Estimate found{mean.mean, mean.mean - mean.half_width, mean.mean + mean.half_width, "mean, Student's t"};
  if (!logarithmic) return found;
  return {std::exp(found.value), std::exp(found.low), std::exp(found.high),
          "geometric mean, Student's t of logarithms"};
}

}  // namespace normlab
