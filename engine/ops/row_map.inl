// Rows of a matrix as Eigen arrays, so that kernels read like their formulas and use vector instructions.
// Included by sources of engine/ops alone; it shows Eigen types, which no header may.
#pragma once

#include <Eigen/Core>

#include "../dtype.h"
#include "exponential.h"

namespace normlab {

template <class T>
using RowMap = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstRowMap = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

// Row `index` of the row-major matrix x[…, columns].
template <class T>
RowMap<T> row_of(T* x, Index index, Index columns) {
  return {x + index * columns, columns};
}
template <class T>
ConstRowMap<T> row_of(const T* x, Index index, Index columns) {
  return {x + index * columns, columns};
}

// The contract of Gradients::Target, for one row: add to it, or write it for the first time.
template <class T, class Values>
void put(RowMap<T> row, const Values& values, bool accumulate) {
  if (accumulate) {
    row += values;
  } else {
    row = values;
  }
}

// The sum of exp(x - max) over a row.
template <class T>
T sum_of_exponentials(const ConstRowMap<T>& x, T max) {
  T sum = 0;
  for_exponentials(x.data(), x.size(), max, [&](Index, Index count, const T* y) { sum += row_of(y, 0, count).sum(); });
  return sum;
}

}  // namespace normlab
