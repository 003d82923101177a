// Root mean square normalization (Zhang & Sennrich 2019) over the last axis, or over groups of it.
#pragma once

#include "../tensor.h"

namespace normlab {

// For each row and each of `groups` runs of equal length of its features: n = x / sqrt(mean(x^2) + epsilon), y = weight
// * n. weight[features]; an undefined one stands for ones. Error unless groups divides the features, and where epsilon
// and a whole run are 0.
Tensor rms_norm(const Tensor& x, const Tensor& weight, Index groups, double epsilon);

}  // namespace normlab
