// Dropout (Srivastava et al. 2014), scaled at training time; and dropout in one pass with the op beside it.
#pragma once

#include "../random.h"
#include "../tensor.h"

namespace normlab {

// y = m * x / (1 - probability), m = 0 with `probability` and 1 otherwise, drawn from `stream` by the element's index.
// Returns x itself at probability 0. Error unless 0 <= probability < 1.
//
// Here and below an x or branch that nobody else holds, such as the output of the op before, lends y its memory.
Tensor dropout(Tensor x, double probability, const RandomStream& stream);

// add(x, dropout(branch)): the sum at the end of a residual branch. Error unless x and branch are alike.
Tensor add_dropout(const Tensor& x, Tensor branch, double probability, const RandomStream& stream);

// dropout(relu(x)).
Tensor relu_dropout(Tensor x, double probability, const RandomStream& stream);

}  // namespace normlab
