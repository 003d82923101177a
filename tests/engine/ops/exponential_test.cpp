// The exponential: against the library's in long double, at its limits, and the same bits wherever a number stands.
#include "engine/ops/exponential.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "engine/random.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

template <class T>
T exponential_of(T x) {
  exponentials(&x, T{0}, 1, &x);
  return x;
}

// Evenly spaced numbers from `low` to `high`, ends included.
template <class T>
std::vector<T> between(double low, double high, int count) {
  std::vector<T> x;
  for (int i = 0; i <= count; ++i) x.push_back(static_cast<T>(low + (high - low) * i / count));
  return x;
}

// The largest relative error of the exponentials of x.
template <class T>
double worst_error(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  exponentials(x.data(), T{0}, static_cast<Index>(x.size()), y.data());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = std::exp(static_cast<long double>(x[i]));
    worst = std::max(worst, static_cast<double>(std::abs((y[i] - exact) / exact)));
  }
  return worst;
}

}  // namespace

TEST_CASE("exponentials are exact to the last place or so, over the whole range") {
  CHECK(worst_error(between<float>(-87.3, 88, 400000)) < 1.05e-7);
  CHECK(worst_error(between<double>(-708, 709, 400000)) < 2e-16);
  CHECK(worst_error(between<float>(-1, 0, 100000)) < 1.05e-7);
  CHECK(worst_error(between<double>(-1, 0, 100000)) < 2e-16);
  CHECK(exponential_of(0.f) == 1);
  CHECK(exponential_of(-0.0) == 1);
}

TEST_CASE("exponentials of what is very small, minus infinity and NaN") {
  for (const float x : {-104.f, -1e30f, -std::numeric_limits<float>::infinity()}) CHECK(exponential_of(x) == 0);
  for (const double x : {-746., -1e300, -std::numeric_limits<double>::infinity()}) CHECK(exponential_of(x) == 0);
  CHECK(std::isnan(exponential_of(std::numeric_limits<float>::quiet_NaN())));
  CHECK(std::isnan(exponential_of(std::numeric_limits<double>::quiet_NaN())));
  for (const float nan : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> x(100, nan), y(100);  // vector instructions take the first elements, plain ones the last
    exponentials(x.data(), 1.f, 100, y.data());
    CHECK(std::all_of(y.begin(), y.end(), [](float value) { return std::isnan(value); }));
    std::vector<double> z(100, static_cast<double>(nan));
    exponentials(z.data(), 1.0, 100, z.data());
    CHECK(std::all_of(z.begin(), z.end(), [](double value) { return std::isnan(value); }));
  }
  // Near the least normal number there is no accuracy, but no sign either.
  for (const float x : between<float>(-90, -87, 3000)) {
    CHECK(exponential_of(x) >= 0);
    CHECK(exponential_of(x) <= 2e-38f);
  }
}

TEMPLATE_TEST_CASE("a number's exponential has the same bits wherever it stands", "", float, double) {
  using Bits = std::conditional_t<sizeof(TestType) == 4, std::uint32_t, std::uint64_t>;
  Random random(1, "x");
  std::vector<TestType> x(2000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<TestType>((i % 2 ? -20 : sizeof(TestType) == 4 ? -90 : -720) * random.uniform());
  }
  std::vector<TestType> alone = x;
  for (TestType& value : alone) value = exponential_of(value);
  for (const std::size_t offset : {0u, 1u, 5u, 16u, 17u}) {
    for (const std::size_t size : {1u, 7u, 8u, 100u, 511u, 512u, 513u, 1900u}) {
      std::vector<TestType> y(x.begin() + static_cast<std::ptrdiff_t>(offset), x.end());
      exponentials(y.data() + 1, TestType{0}, static_cast<Index>(size), y.data() + 1);
      CAPTURE(offset, size);
      bool same = y[0] == x[offset] && y[size + 1] == x[offset + size + 1];  // outside nothing is written
      for (std::size_t i = 1; i <= size; ++i) {
        same = same && std::bit_cast<Bits>(y[i]) == std::bit_cast<Bits>(alone[offset + i]);
      }
      CHECK(same);
    }
  }
}

TEST_CASE("block by block every number is seen once, less the shift, even when it is written over") {
  for (const Index size : {0, 1, 255, 256, 257, 1000}) {
    std::vector<double> x;
    for (Index i = 0; i < size; ++i) x.push_back(-0.01 * static_cast<double>(i));
    const std::vector<double> before = x;
    Index next = 0;
    for_exponentials(x.data(), size, 0.5, [&](Index begin, Index count, const double* y) {
      CHECK(begin == next);
      next = begin + count;
      for (Index i = 0; i < count; ++i) x[static_cast<std::size_t>(begin + i)] = y[i];
    });
    CHECK(next == size);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == exponential_of(before[i] - 0.5));
  }
}
