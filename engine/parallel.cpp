// The only file that knows OpenMP.
#include "parallel.h"

#include <omp.h>

#include <atomic>
#include <exception>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace normlab {
namespace {

std::atomic<int> thread_count{0};

// Arithmetic on denormal numbers, those below 1e-38 in f32 and 2e-308 in f64, can take a hundred times as long; in
// training they mean nothing. The switch is one of the thread, so that each sets it before its pieces.
void flush_denormals() {
#if defined(__SSE2__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  std::uint64_t fpcr = 0;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  asm volatile("msr fpcr, %0" : : "r"(fpcr | (std::uint64_t{1} << 24)));
#endif
}

}  // namespace

int threads() {
  if (thread_count == 0) thread_count = omp_get_max_threads();
  return thread_count;
}

void set_threads(int count) {
  check(count >= 1, "set_threads: at least 1, got ", count);
  thread_count = count;
}

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }

OneThread::~OneThread() { omp_set_num_threads(before_); }

void detail::run_pieces(Index pieces, void (*piece)(void*, Index), void* body, bool share) {
  const int team = static_cast<int>(std::min<Index>(pieces, threads()));
  if (team <= 1 || !share || omp_in_parallel()) {
    flush_denormals();
    for (Index index = 0; index < pieces; ++index) piece(body, index);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel num_threads(team)
  {
    flush_denormals();
#pragma omp for schedule(dynamic, 1)
    for (Index index = 0; index < pieces; ++index) {
      try {
        piece(body, index);
      } catch (...) {
#pragma omp critical(normlab_failure)
        if (!failure) failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace normlab
