// The one seam for matrix products. Everything above it says what to multiply; what does it stands behind gemm.cpp.
//
// The output is cut into fixed tiles, each computed by one thread with the library held to one thread, so that the bits
// do not depend on the number of threads. They do depend on the library.
#pragma once

#include <string>
#include <vector>

#include "dtype.h"

namespace normlab {

// A matrix operand: row-major with `stride` numbers from one row to the next; `transposed` means that the product uses
// its transpose.
template <class T>
struct Operand {
  const T* data;
  Index stride;
  bool transposed = false;
};

// Waking another thread costs as much as so many multiply-adds, some 20 microseconds; a smaller product, or so many in
// all, is done by the calling thread.
inline constexpr Index kProductWorthSharing = 1'000'000;

// c[m, n] = alpha * op(a)[m, k] * op(b)[k, n], added to c when `accumulate`. c must not overlap a or b.
template <class T>
void gemm(Index m, Index n, Index k, T alpha, Operand<T> a, Operand<T> b, T* c, Index c_stride, bool accumulate);

// The same on the calling thread alone: for use inside parallel().
template <class T>
void gemm_serial(Index m, Index n, Index k, T alpha, Operand<T> a, Operand<T> b, T* c, Index c_stride, bool accumulate);

// The libraries that may stand behind the seam. Eigen always does; oneDNN where CMake found it (NORMLAB_GEMM), and only
// for f32: gradient checks in f64 are Eigen's. At the start that is in use which measurements found faster, or oneDNN
// where CMake was told so.
enum class GemmLibrary { eigen, onednn };
std::vector<GemmLibrary> gemm_libraries();  // those built in; the first is the one in use at the start
// For tests and benchmarks, between products. Error when it is not built in.
void set_gemm_library(GemmLibrary library);

// What does the arithmetic, with its version: "Eigen 3.4.0", "oneDNN 2.6.3".
std::string gemm_backend();

}  // namespace normlab
