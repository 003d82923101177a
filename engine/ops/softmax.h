// Softmax and log-softmax over the last axis, for x of any shape. Error when that axis is empty.
#pragma once

#include "../tensor.h"

namespace normlab {

Tensor softmax(const Tensor& x);      // exp(x - max) / sum exp(x - max), each row
Tensor log_softmax(const Tensor& x);  // x - max - log sum exp(x - max), each row

}  // namespace normlab
