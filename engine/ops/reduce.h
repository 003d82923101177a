// Reductions, and picking rows. Sums are accumulated in double, over fixed pieces in fixed order.
#pragma once

#include "../tensor.h"

namespace normlab {

Tensor sum(const Tensor& x);            // the sum of all elements, shape []
Tensor mean(const Tensor& x);           // the mean of all elements, shape []; Error when x is empty
Tensor sum_rows(const Tensor& x);       // [rows, n] -> [n]: the sum over rows
Tensor mean_rows(const Tensor& x);      // [rows, n] -> [n]
Tensor sum_of_squares(const Tensor& x); // shape []

// y[i] = x[rows[i]] for a matrix x[n, width] and i32 `rows`; a row may be picked several times.
// Error when an index is not in [0, n).
Tensor gather_rows(const Tensor& x, const Tensor& rows);

}  // namespace normlab
