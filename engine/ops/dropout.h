// Dropout (Srivastava et al. 2014), scaled at training time.
#pragma once

#include "../random.h"
#include "../tensor.h"

namespace normlab {

// y = x * m / (1 - probability), m = 0 with `probability` and 1 otherwise, drawn from `stream` by the element's index.
// Returns x itself at probability 0. Error unless 0 <= probability < 1.
Tensor dropout(const Tensor& x, double probability, const RandomStream& stream);

}  // namespace normlab
