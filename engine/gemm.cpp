// Matrix products: fixed tiles here, the arithmetic of one tile in Eigen or oneDNN.
//
// A library keeps to one thread (EIGEN_DONT_PARALLELIZE; OneThread) and sums over the whole inner dimension in an order
// that follows from the shape of a tile. The tiles follow from the shape of the product. So the bits are those of the
// shape, on any number of threads. Another library goes in `multiply`, under the same rule.
#include "gemm.h"

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <type_traits>

#ifdef NORMLAB_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "error.h"
#include "parallel.h"

namespace normlab {
namespace {

template <class T, int kOrder>
using ConstMatrix = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, kOrder>, 0, Eigen::OuterStride<>>;
template <class T>
using Matrix = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0, Eigen::OuterStride<>>;

// The transpose of a row-major matrix is the same memory read column by column: calls body(op(a)[rows, columns]).
template <class T, class Body>
void with_matrix(Operand<T> a, Index rows, Index columns, Body&& body) {
  if (a.transposed) {
    body(ConstMatrix<T, Eigen::ColMajor>(a.data, rows, columns, Eigen::OuterStride<>(a.stride)));
  } else {
    body(ConstMatrix<T, Eigen::RowMajor>(a.data, rows, columns, Eigen::OuterStride<>(a.stride)));
  }
}

template <class T>
void multiply_with_eigen(Index m, Index n, Index k, T alpha, Operand<T> a, Operand<T> b, T* c, Index c_stride,
                         bool accumulate) {
  Matrix<T> result(c, m, n, Eigen::OuterStride<>(c_stride));
  if (!accumulate) result.setZero();
  with_matrix(a, m, k, [&](const auto& left) {
    with_matrix(b, k, n, [&](const auto& right) { result.noalias() += (alpha * left) * right; });
  });
}

#ifdef NORMLAB_ONEDNN
void multiply_with_onednn(Index m, Index n, Index k, float alpha, Operand<float> a, Operand<float> b, float* c,
                          Index c_stride, bool accumulate) {
  const OneThread guard;
  const auto letter = [](const Operand<float>& x) { return x.transposed ? 'T' : 'N'; };
  const dnnl_status_t status = dnnl_sgemm(letter(a), letter(b), m, n, k, alpha, a.data, a.stride, b.data, b.stride,
                                          accumulate ? 1.0f : 0.0f, c, c_stride);
  if (status == dnnl_out_of_memory) throw MachineError("memory: the system has no more for a product");
  check(status == dnnl_success, "gemm: oneDNN fails with status ", static_cast<int>(status), " on [", m, ", ", k,
        "] times [", k, ", ", n, "]");
}

// The faster one. oneDNN makes its code for the processor that it finds, Eigen is compiled for one. With oneDNN a step
// takes 0.84 of the time with Eigen on a processor with AVX-512 (lm), and 1.03 to 1.39 on one with AVX2 if Eigen is
// compiled for it (README, "Measured"). Elsewhere, not measured, oneDNN is taken.
GemmLibrary preferred() {
#if defined(__AVX2__) && defined(__FMA__) && !defined(NORMLAB_ONEDNN_ALWAYS)
  constexpr int kAvx512 = dnnl_cpu_isa_avx512_core;  // a set of bits
  if ((dnnl_get_effective_cpu_isa() & kAvx512) != kAvx512) return GemmLibrary::eigen;
#endif
  return GemmLibrary::onednn;
}
#else
GemmLibrary preferred() { return GemmLibrary::eigen; }
#endif

std::atomic<GemmLibrary> library{preferred()};

template <class T>
void multiply(Index m, Index n, Index k, T alpha, Operand<T> a, Operand<T> b, T* c, Index c_stride, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (Index i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * c_stride, n, T{0});
    return;
  }
#ifdef NORMLAB_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (library == GemmLibrary::onednn) return multiply_with_onednn(m, n, k, alpha, a, b, c, c_stride, accumulate);
  }
#endif
  multiply_with_eigen(m, n, k, alpha, a, b, c, c_stride, accumulate);
}

// The operand moved to row `row` and column `column` of op(a).
template <class T>
Operand<T> from(Operand<T> a, Index row, Index column) {
  a.data += a.transposed ? column * a.stride + row : row * a.stride + column;
  return a;
}

struct TileShape {
  Index rows, columns;
};

// Large tiles, because each packs its share of both operands anew; halved along the longer side until there are enough
// to share among several threads. More than eight are better balanced and slower: on two cores sixteen cost 2 to 5 %.
// A tile with less than some 40 microseconds of work is not halved: calls cost too (of a step of width 64 some 5 %).
TileShape tile_shape(Index m, Index n, Index k) {
  constexpr Index kLargest = 1024, kSmallest = 64, kEnough = 8, kWorthACall = 2'000'000;
  const auto count = [](Index extent, Index tile) { return (extent + tile - 1) / tile; };
  TileShape tile{std::min(m, kLargest), std::min(n, kLargest)};
  while (count(m, tile.rows) * count(n, tile.columns) < kEnough && std::max(tile.rows, tile.columns) > kSmallest &&
         tile.rows * tile.columns * k > kWorthACall) {
    Index& longer = tile.rows >= tile.columns ? tile.rows : tile.columns;
    longer = (longer + 1) / 2;
  }
  return tile;
}

template <class T>
void check_operands(Index m, Index n, Index k, const Operand<T>& a, const Operand<T>& b, Index c_stride) {
  check(m >= 0 && n >= 0 && k >= 0, "gemm: extents must not be negative, got m = ", m, ", n = ", n, ", k = ", k);
  const Index a_width = a.transposed ? m : k, b_width = b.transposed ? k : n;
  check(a.stride >= a_width && b.stride >= b_width && c_stride >= n, "gemm: strides must be at least the row lengths ",
        a_width, ", ", b_width, ", ", n, " of a, b, c, got ", a.stride, ", ", b.stride, ", ", c_stride);
}

}  // namespace

template <class T>
void gemm_serial(Index m, Index n, Index k, T alpha, Operand<T> a, Operand<T> b, T* c, Index c_stride,
                 bool accumulate) {
  check_operands(m, n, k, a, b, c_stride);
  multiply(m, n, k, alpha, a, b, c, c_stride, accumulate);
}

template <class T>
void gemm(Index m, Index n, Index k, T alpha, Operand<T> a, Operand<T> b, T* c, Index c_stride, bool accumulate) {
  check_operands(m, n, k, a, b, c_stride);
  if (m == 0 || n == 0) return;
  const TileShape tile = tile_shape(m, n, k);
  const Index across = (n + tile.columns - 1) / tile.columns;
  const Index down = (m + tile.rows - 1) / tile.rows;
  parallel(
      down * across,
      [&](Index piece) {
        const Index row = piece / across * tile.rows, column = piece % across * tile.columns;
        multiply(std::min(tile.rows, m - row), std::min(tile.columns, n - column), k, alpha, from(a, row, 0),
                 from(b, 0, column), c + row * c_stride + column, c_stride, accumulate);
      },
      m * n * std::max<Index>(1, k) >= kProductWorthSharing);
}

template void gemm(Index, Index, Index, float, Operand<float>, Operand<float>, float*, Index, bool);
template void gemm(Index, Index, Index, double, Operand<double>, Operand<double>, double*, Index, bool);
template void gemm_serial(Index, Index, Index, float, Operand<float>, Operand<float>, float*, Index, bool);
template void gemm_serial(Index, Index, Index, double, Operand<double>, Operand<double>, double*, Index, bool);

std::vector<GemmLibrary> gemm_libraries() {
  std::vector<GemmLibrary> all{preferred()};
#ifdef NORMLAB_ONEDNN
  all.push_back(all.front() == GemmLibrary::eigen ? GemmLibrary::onednn : GemmLibrary::eigen);
#endif
  return all;
}

void set_gemm_library(GemmLibrary chosen) {
  const auto all = gemm_libraries();
  check(std::find(all.begin(), all.end(), chosen) != all.end(), "set_gemm_library: oneDNN is not built in");
  library = chosen;
}

std::string gemm_backend() {
#ifdef NORMLAB_ONEDNN
  if (library == GemmLibrary::onednn) {
    const dnnl_version_t* version = dnnl_version();
    return text("oneDNN ", version->major, '.', version->minor, '.', version->patch);
  }
#endif
  // Eigen 3 calls itself 3.major.minor; from Eigen 5 on the numbers are major.minor.patch.
#ifdef EIGEN_PATCH_VERSION
  return text("Eigen ", EIGEN_MAJOR_VERSION, '.', EIGEN_MINOR_VERSION, '.', EIGEN_PATCH_VERSION);
#else
  return text("Eigen ", EIGEN_WORLD_VERSION, '.', EIGEN_MAJOR_VERSION, '.', EIGEN_MINOR_VERSION);
#endif
}

}  // namespace normlab
