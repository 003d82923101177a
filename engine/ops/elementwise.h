// Element-wise ops.
#pragma once

#include "../tensor.h"

namespace normlab {

// An x that is given by value and that nobody else holds, such as the output of the op before, lends y its memory.

Tensor add(const Tensor& a, const Tensor& b);          // a + b, equal shapes
Tensor subtract(const Tensor& a, const Tensor& b);     // a - b, equal shapes
Tensor multiply(const Tensor& a, const Tensor& b);     // a * b, equal shapes
Tensor add_bias(const Tensor& x, const Tensor& bias);  // every row of x[rows, n] plus bias[n]
Tensor scale(const Tensor& x, double factor);          // factor * x
Tensor relu(Tensor x);                                 // max(x, 0); derivative 0 at 0
Tensor gelu(const Tensor& x);  // x * Phi(x), the exact form (Hendrycks & Gimpel 2016), not the tanh one

}  // namespace normlab
