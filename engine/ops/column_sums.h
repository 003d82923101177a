// Sums over the rows of a matrix, the gradient of anything that is added to every row. For the sources of ops.
#pragma once

#include "../tape.h"

namespace normlab {

// sums[j] = factor * sum_i x[i, j], or added to what is there when `accumulate`; x[rows, n] and sums[n] of one dtype.
// Summed in double over fixed pieces of the rows, the pieces then in order: the same bits on any number of threads.
void column_sums(const Tensor& x, double factor, Tensor& sums, bool accumulate);

// Adds sums[…] to the gradient of an input of that many elements, if anyone wants it.
void add_sums(Gradients& into, Index input, const double* sums);

}  // namespace normlab
