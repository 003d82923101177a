// Threads: one helper for all kernels. Work is cut into pieces whose number and borders depend on the shape alone,
// never on the number of threads, so that 1 and 16 threads give the same bits. No kernel writes a pragma.
#pragma once

#include <algorithm>
#include <type_traits>

#include "dtype.h"

namespace normlab {

int threads();  // how many threads kernels use; at first OMP_NUM_THREADS, or the cores this process may run on
void set_threads(int count);  // at least 1

namespace detail {
void run_pieces(Index pieces, void (*piece)(void* body, Index index), void* body, bool share);
}

// Calls body(piece) once for each piece in [0, pieces), on several threads, in any order. It runs serially inside
// another parallel() that does not, and when the work is not worth to `share`. An exception of the body is thrown again
// here. Numbers too small to be normal count as zero in the body, and on the calling thread from then on.
template <class Body>
void parallel(Index pieces, Body&& body, bool share = true) {
  using Plain = std::remove_reference_t<Body>;
  detail::run_pieces(
      pieces, [](void* b, Index index) { (*static_cast<Plain*>(b))(index); },
      const_cast<void*>(static_cast<const void*>(&body)), share);
}

// While it lives, a library that brings its own OpenMP loops keeps to the calling thread. Inside parallel() it does so
// by itself.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// How many rows make a piece when one row costs `work` (elements touched, say): about 16 thousand elements.
inline Index rows_per_piece(Index work) { return std::max<Index>(1, 16384 / std::max<Index>(1, work)); }

// Waking another thread costs as much as touching so many elements; less work than this is done by the calling thread.
inline constexpr Index kWorthSharing = 65536;

// Calls body(begin, end) on pieces that together cover [0, rows). Pieces must not touch each other's output.
template <class Body>
void parallel_rows(Index rows, Index work, Body&& body) {
  const Index step = rows_per_piece(work);
  parallel((rows + step - 1) / step, [&](Index piece) { body(piece * step, std::min(rows, (piece + 1) * step)); },
           rows * std::max<Index>(1, work) >= kWorthSharing);
}

// For sums over rows: at most 32 pieces; each sums into a buffer of its own, the buffers are then added in order.
struct Pieces {
  Index count = 0;
  Index step = 0;
  Index rows = 0;
  Index begin(Index piece) const { return piece * step; }
  Index end(Index piece) const { return std::min(rows, (piece + 1) * step); }
};
inline Pieces reduction_pieces(Index rows, Index work) {
  const Index step = std::max(rows_per_piece(work), (rows + 31) / 32);
  return {rows ? (rows + step - 1) / step : 0, step, rows};
}

}  // namespace normlab
