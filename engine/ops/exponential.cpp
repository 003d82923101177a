// The exponential.
//
//   exp(x) = 2^n exp(r)      n = round(x / ln 2),      r = x - n ln 2,      |r| <= ln 2 / 2
//
// exp(r) is its Taylor series. ln 2 is taken off in two parts, the first of so few bits that n times it is exact (Cody
// & Waite 1980). Adding a number so large that its last bit stands for one rounds x / ln 2, and leaves n where the bits
// of 2^n can be made from it.
//
// No table, no call and, but for the limit, no choice, so that compilers make vector instructions of it: for AVX2, in
// f32, g++ 12 makes 26 for as many numbers as a vector holds, and 42 of Eigen 3.4's exp(), the shift and the loop
// counted in both. What does not fill a vector goes through the same steps one by one, in Eigen through others.
#include "exponential.h"

#include <array>
#include <bit>
#include <cstdint>

namespace normlab {
namespace {

template <class T>
struct Constants;

template <>
struct Constants<float> {
  using Bits = std::uint32_t;
  static constexpr int kMantissaBits = 23, kBias = 127;
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr int kDegree = 7;  // the next term of the series is at most 6e-9
};

template <>
struct Constants<double> {
  using Bits = std::uint64_t;
  static constexpr int kMantissaBits = 52, kBias = 1023;
  static constexpr double kLn2High = 0x1.62e42fefa38p-1, kLn2Low = 0x1.ef35793c7673p-45;
  static constexpr int kDegree = 13;  // 4e-18
};

template <class T>
constexpr T kLn2 = Constants<T>::kLn2High + Constants<T>::kLn2Low;

// 1 / k!
template <class T>
constexpr auto kSeries = [] {
  std::array<T, Constants<T>::kDegree + 1> terms{};
  double factorial = 1;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    terms[k] = static_cast<T>(1 / factorial);
    factorial *= static_cast<double>(k + 1);
  }
  return terms;
}();

// To where 2^n is 0. A comparison with NaN is false: it passes.
template <class T>
T limited(T x) {
  constexpr T kLow = -Constants<T>::kBias * kLn2<T>;
  return x < kLow ? kLow : x;
}

template <class T>
T exponential(T x) {
  using C = Constants<T>;
  using Bits = typename C::Bits;
  constexpr T kOnes = T(3) * static_cast<T>(Bits{1} << (C::kMantissaBits - 1));
  constexpr T kPerLn2 = 1 / kLn2<T>;
  const T shifted = x * kPerLn2 + kOnes;
  const T n = shifted - kOnes;
  const T r = (x - n * C::kLn2High) - n * C::kLn2Low;
  T series = kSeries<T>.back();
  for (std::size_t k = kSeries<T>.size() - 1; k-- > 0;) series = series * r + kSeries<T>[k];
  // The bits of `shifted` are those of kOnes plus n, and nothing of kOnes is left when they are moved to the exponent.
  const T power = std::bit_cast<T>((std::bit_cast<Bits>(shifted) + Bits{C::kBias}) << C::kMantissaBits);
  return series * power;
}

template <class T>
void all_exponentials(const T* x, T shift, Index size, T* y) {
  for (Index i = 0; i < size; ++i) y[i] = exponential(limited(x[i] - shift));
}

}  // namespace

void exponentials(const float* x, float shift, Index size, float* y) { all_exponentials(x, shift, size, y); }
void exponentials(const double* x, double shift, Index size, double* y) { all_exponentials(x, shift, size, y); }

}  // namespace normlab
