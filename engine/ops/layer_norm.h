// Layer normalization (Ba, Kiros & Hinton 2016) over the last axis, and group normalization (Wu & He 2018).
#pragma once

#include "../tensor.h"

namespace normlab {

// For each row: n = (x - mean) / sqrt(variance + epsilon), y = weight * n + bias; the variance divides by the number of
// features. weight[features] and bias[features]; an undefined one stands for ones or zeros. A row of one value gives
// the bias; Error when epsilon is 0 as well.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);

// The same with a mean and a variance for each of `groups` runs of equal length of a row's features. Error unless
// groups divides the features.
Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Index groups, double epsilon);

}  // namespace normlab
