// Products: linear maps and plain matrix products.
#pragma once

#include "../tensor.h"

namespace normlab {

// y[rows, out] = x[rows, in] * transpose(weight[out, in]) + bias[out]. An undefined `bias` is left out.
// The shape of y is that of x with the last axis replaced. Error when the last axis of x is not `in`.
// `recompute`: an op that would keep y for its backward keeps how to make it again (see Kept).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, bool recompute = false);

// c[m, n] = op(a) * op(b), where op is the identity or the transpose; a and b have rank 2. Error when their inner
// extents or their dtypes differ.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

}  // namespace normlab
