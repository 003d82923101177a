// Layer normalization (Ba, Kiros & Hinton 2016) over the last axis.
#pragma once

#include "../tensor.h"

namespace normlab {

// For each row: n = (x - mean) / sqrt(variance + epsilon), y = weight * n + bias; the variance divides by the number of
// features. weight[features] and bias[features]; an undefined one stands for ones or zeros.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);

}  // namespace normlab
