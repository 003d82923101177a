// Embedding: a table read by token id.
#pragma once

#include "../tensor.h"

namespace normlab {

// y[i] = factor * table[ids[i]], [tokens, width], for an i32 `ids[tokens]`. Error when an id is not in [0, vocabulary).
// Xiong et al. and Vaswani et al. (3.4) use factor = sqrt(width).
Tensor embedding(const Tensor& table, const Tensor& ids, double factor = 1);

}  // namespace normlab
