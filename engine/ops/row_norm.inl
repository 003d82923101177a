// What norms of single rows have in common: their parameters, the inverse of a root, and a backward that walks over the
// rows once. Included by sources of engine/ops alone; it shows Eigen types, which no header may.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../parallel.h"
#include "../tape.h"
#include "column_sums.h"
#include "row_map.inl"

namespace normlab {

// A parameter of `op` on x as a constant; numbers `otherwise` where it is undefined. Error unless it is of x's dtype
// and of shape [size].
inline Tensor parameter_of(const char* op, const char* name, const Tensor& parameter, const Tensor& x, Index size,
                           double otherwise) {
  if (!parameter.defined()) return Tensor::full({size}, x.dtype(), otherwise);
  check(parameter.shape() == Shape{size} && parameter.dtype() == x.dtype(), op, ": ", name, " must be ", x.dtype(),
        " [", size, "] for x of shape ", x.shape(), ", got ", parameter.dtype(), " ", parameter.shape());
  return parameter.detach();
}

inline void check_groups(const char* op, const Tensor& x, Index groups) {
  check(groups > 0 && x.columns() > 0 && x.columns() % groups == 0, op, ": groups must divide the features, got ",
        groups, " groups and x of shape ", x.shape());
}

// 1 / sqrt(square). Error when the statistic of a row and epsilon are both 0. NaN passes: it is for the trainer to see.
// So does a square too large for T, as NaN: else the row would silently become the bias.
template <class T>
T inverse_root(const char* op, const char* statistic, Index row, T square) {
  check(square != 0, op, ": ", statistic, " + epsilon must not be 0, got 0 in row ", row, "; give an epsilon above 0");
  return std::isinf(square) ? std::numeric_limits<T>::quiet_NaN() : 1 / std::sqrt(square);
}

// The sums of a and b over j in [0, count), where term(j) gives the pair {a, b}: in one walk over the row, and in as
// many partial sums as fill the processor's vectors, which the compiler may not make of one sum by itself.
template <class T, class Term>
std::pair<T, T> two_sums(Index count, Term term) {
  constexpr Index kLanes = 32;
  T a[kLanes] = {}, b[kLanes] = {};
  Index j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    for (Index lane = 0; lane < kLanes; ++lane) {
      const auto [first, second] = term(j + lane);
      a[lane] += first;
      b[lane] += second;
    }
  }
  for (; j < count; ++j) {
    const auto [first, second] = term(j);
    a[0] += first;
    b[0] += second;
  }
  for (Index half = kLanes / 2; half > 0; half /= 2) {
    for (Index lane = 0; lane < half; ++lane) {
      a[lane] += a[lane + half];
      b[lane] += b[lane + half];
    }
  }
  return {a[0], b[0]};
}

inline constexpr Index kAtOnce = 256;  // elements of a row, so that what is made of them stays close at hand

// Where a backward puts the gradient of an input row by row: nowhere when no one wants it.
template <class T>
class RowTarget {
 public:
  RowTarget(Gradients& into, Index input) {
    if (!into.wants(input)) return;
    const Gradients::Target target = into.target(input);
    data_ = target.gradient.template data<T>();
    accumulate_ = target.accumulate;
  }

  // Row `index` of the gradient, seen as a matrix of so many columns.
  template <class Values>
  void put(Index index, Index columns, const Values& values) const {
    if (data_) normlab::put(row_of(data_, index, columns), values, accumulate_);
  }

  // The elements of the gradient from `first` on, at most kAtOnce, for a kernel that makes them in one loop with
  // others: kernel<kAdd>(dx) is to write them, or to add them to what is there.
  template <class Kernel>
  void make(Index first, Kernel kernel) const {
    if (data_ && accumulate_) return kernel.template operator()<true>(data_ + first);
    alignas(64) T nowhere[kAtOnce];
    kernel.template operator()<false>(data_ ? data_ + first : nowhere);
  }

 private:
  T* data_ = nullptr;
  bool accumulate_ = false;
};

// Calls row(i, sums) for each i in [0, rows), on several threads; it works on row i of [rows, columns] and adds to
// sums[width] what it has for sums over all rows. Returns those, f64 [width].
//
// Rows are added in T, a whole vector at a time, but only 32 of them: so many at most lose their last digits. The rest
// is in double, over fixed pieces in fixed order.
template <class T, class Row>
Tensor for_rows_with_sums(Index rows, Index columns, Index width, Row row) {
  constexpr Index kBlock = 32;
  const Pieces pieces = reduction_pieces(rows, columns);
  Tensor partial = Tensor::zeros({pieces.count, width}, Dtype::f64);
  Tensor blocks = Tensor::empty({pieces.count, width}, dtype_of<T>());
  const auto sum_piece = [&, partial = partial.data<double>(), blocks = blocks.data<T>()](Index piece) {
    auto sums = row_of(partial, piece, width);
    auto block = row_of(blocks, piece, width);
    for (Index begin = pieces.begin(piece), end; begin < pieces.end(piece); begin = end) {
      end = std::min(begin + kBlock, pieces.end(piece));
      block = 0;
      for (Index i = begin; i < end; ++i) row(i, block.data());
      sums += block.template cast<double>();
    }
  };
  parallel(pieces.count, sum_piece, rows * columns >= kWorthSharing);
  Tensor total = Tensor::zeros({width}, Dtype::f64);
  auto total_row = row_of(total.data<double>(), 0, width);
  for (Index piece = 0; piece < pieces.count; ++piece) total_row += row_of(partial.data<double>(), piece, width);
  return total;
}

}  // namespace normlab
