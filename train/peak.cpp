// A register-only multiply-add loop: enough independent sums to hide the latency of the multiply-add units.
#include "peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "../engine/parallel.h"

namespace normlab {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kSums = 24;
#elif defined(__AVX__)
constexpr int kBytes = 32, kSums = 12;
#else
constexpr int kBytes = 16, kSums = 12;
#endif
constexpr int kLanes = kBytes / 4;
constexpr long kRounds = 2'000'000;

using Vector = float __attribute__((vector_size(kBytes)));

float spin(float seed) {
  Vector sums[kSums], factor, term;
  for (int lane = 0; lane < kLanes; ++lane) {
    factor[lane] = 0.999f + seed;
    term[lane] = 0.001f + seed;
  }
  for (Vector& sum : sums) sum = term;
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * factor + term;
  }
  float total = 0;
  for (const Vector& sum : sums) total += sum[0];
  return total;
}

}  // namespace

double measure_peak(int runs) {
  double best = 0;
  std::vector<float> sink(static_cast<std::size_t>(threads()));
  for (int run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    parallel(threads(), [&](Index thread) { sink[static_cast<std::size_t>(thread)] += spin(sink[0] * 0); });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * kRounds * kSums * kLanes * threads() / seconds);
  }
  return best;
}

}  // namespace normlab
