// Intervals over seeds, and the floor of made-up data.
#include "train/experiment/statistics.h"

#include <cmath>

#include "tests/support/catch.h"
#include "train/experiment/experiment.h"

using namespace normlab;

TEST_CASE("Student's quantiles as tables print them") {
  CHECK(student_t(0.95, 1) == Approx(12.7062).epsilon(1e-5));
  CHECK(student_t(0.95, 2) == Approx(4.30265).epsilon(1e-5));
  CHECK(student_t(0.95, 3) == Approx(3.18245).epsilon(1e-5));
  CHECK(student_t(0.95, 9) == Approx(2.26216).epsilon(1e-5));
  CHECK(student_t(0.95, 30) == Approx(2.04227).epsilon(1e-5));
  CHECK(student_t(0.95, 1000) == Approx(1.96234).epsilon(1e-5));
  CHECK(student_t(0.999, 1) == Approx(636.619).epsilon(1e-5));
  CHECK(student_t(0.999, 9) == Approx(4.78091).epsilon(1e-5));
  CHECK(student_t(0.999, 1000) == Approx(3.30028).epsilon(1e-5));
}

TEST_CASE("a mean with its interval") {
  const Interval interval = mean_interval({1, 2, 3, 4});
  CHECK(interval.mean == 2.5);
  // deviation sqrt(5/3), over sqrt(4), times 3.18245
  CHECK(interval.half_width == Approx(3.18245 * std::sqrt(5.0 / 3) / 2).epsilon(1e-5));
  CHECK(mean_interval({1, 2, 3, 4}, 0.999).half_width == Approx(12.9240 * std::sqrt(5.0 / 3) / 2).epsilon(1e-5));
  CHECK(std::isinf(mean_interval({1}).half_width));
  CHECK(mean_interval({1}).mean == 1);
  CHECK(std::isnan(mean_interval({}).mean));
}

TEST_CASE("the floor of runs on languages of their own is that of their mean entropy") {
  CHECK_FALSE(floor_of({}));
  CHECK(floor_of({2, 2})->perplexity == Approx(std::exp(2)));
  CHECK(floor_of({2, 2})->one_language);
  CHECK(floor_of({1, 3, 1, 3})->perplexity == Approx(std::exp(2)));
  CHECK_FALSE(floor_of({1, 2, 1})->one_language);
}
