// Estimates over seeds against values computed by hand or found in tables.
#include "train/experiment/estimate.h"

#include <cmath>
#include <limits>

#include "tests/support/catch.h"

using namespace normlab;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNaN = std::nan("");

void check_estimate(const Estimate& found, double value, double low, double high) {
  INFO(found.method << ": " << found.value << " (" << found.low << " to " << found.high << ")");
  CHECK(found.value == Approx(value).margin(1e-12));
  CHECK(found.low == Approx(low).epsilon(1e-4).margin(1e-12));
  CHECK(found.high == Approx(high).epsilon(1e-4).margin(1e-12));
}

}  // namespace

TEST_CASE("numbers are put together by their mean and Student's t") {
  // The deviation is 1, so the half width t / sqrt(3), with t = 4.30265 for 2 degrees of freedom.
  check_estimate(estimate({1, 2, 3}, Scale::linear), 2, 2 - 2.484138, 2 + 2.484138);
  check_estimate(estimate({5, 5}, Scale::linear), 5, 5, 5);
  CHECK(estimate({1, 2, 3}, Scale::linear).method == "mean, Student's t");
}

TEST_CASE("ratios are put together by their geometric mean, on logarithms") {
  const double half = 2.484138 * std::log(2.0);
  check_estimate(estimate({0.5, 1, 2}, Scale::logarithmic), 1, std::exp(-half), std::exp(half));
  const Estimate up = estimate({2, 3, 5}, Scale::logarithmic),
                 down = estimate({1 / 2.0, 1 / 3.0, 1 / 5.0}, Scale::logarithmic);
  check_estimate(down, 1 / up.value, 1 / up.high, 1 / up.low);
}

TEST_CASE("one number or none bounds nothing") {
  for (const Scale scale : {Scale::linear, Scale::logarithmic}) {
    const Estimate one = estimate({3}, scale);
    CHECK(one.value == Approx(3));
    CHECK(one.low == (scale == Scale::linear ? -kInfinity : 0));
    CHECK(one.high == kInfinity);
    CHECK(std::isnan(estimate({}, scale).value));
  }
  CHECK(std::isnan(estimate({}, Scale::share).value));
}

TEST_CASE("where a number is infinite or not known the median stands, between order statistics") {
  // 6 values are the fewest that bound it: 1 - 2 / 2^6 = 96.9 %; of 9 the second and the eighth do, 96.1 %.
  check_estimate(estimate({4, 1, 3, 2, 5, kInfinity}, Scale::linear), 3.5, 1, kInfinity);
  check_estimate(estimate({4, 1, 3, 2, 5, 6}, Scale::logarithmic), std::pow(720.0, 1 / 6.0),
                 estimate({4, 1, 3, 2, 5, 6}, Scale::logarithmic).low,
                 estimate({1, 2, 3, 4, 5, 6}, Scale::logarithmic).high);
  check_estimate(median_estimate({9, 8, 7, 6, 5, 4, 3, 2, 1}), 5, 2, 8);
  check_estimate(estimate({9, 8, 7, 6, 5, 4, 3, 2, kInfinity}, Scale::linear), 6, 3, 9);
  check_estimate(median_estimate({1, 2, 3, 4, 5}), 3, -kInfinity, kInfinity);
  check_estimate(estimate({kInfinity, kInfinity, kInfinity, kInfinity, kInfinity, kInfinity}, Scale::linear), kInfinity,
                 kInfinity, kInfinity);
  // A ratio of nothing to something has no logarithm.
  check_estimate(estimate({0, 1, 2, 3, 4, 5}, Scale::logarithmic), 2.5, 0, 5);
}

TEST_CASE("a number that is not known widens the interval both ways") {
  check_estimate(median_estimate({9, 8, 7, 6, 5, 4, 3, 2, kNaN}), 5.5, 2, 9);
  check_estimate(median_estimate({9, 8, 7, 6, 5, 4, 3, kNaN, kNaN}), 6, -kInfinity, kInfinity);
  CHECK(std::isnan(median_estimate({kNaN, kNaN}).value));
}

TEST_CASE("shares have the interval of Clopper and Pearson") {
  check_estimate(share_estimate(3, 3), 1, std::cbrt(0.025), 1);
  check_estimate(share_estimate(0, 10), 0, 0, 1 - std::pow(0.025, 0.1));
  check_estimate(share_estimate(8, 10), 0.8, 0.443905, 0.974789);  // Clopper & Pearson 1934, also in R's binom.test
  check_estimate(estimate({1, 1, 1, 0, 1, 1, 1, 1, 0, 1}, Scale::share), 0.8, 0.443905, 0.974789);
  check_estimate(estimate({1, 1, kNaN}, Scale::share), 2.0 / 3, share_estimate(2, 3).low, 1);
  check_estimate(estimate({0.75, 0.5, kNaN}, Scale::share, 4), 5.0 / 12, share_estimate(5, 12).low,
                 share_estimate(9, 12).high);
}
