// Rows of a matrix read by index: what embedding() and gather_rows() are. For the sources of ops.
#pragma once

#include "../tensor.h"

namespace normlab {

// y[i] = factor * table[ids[i]] for table[n, width] and i32 ids[count]; `op` is the name in errors and on the tape.
Tensor lookup(const char* op, const Tensor& table, const Tensor& ids, double factor);

}  // namespace normlab
