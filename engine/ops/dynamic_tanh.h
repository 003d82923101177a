// Dynamic tanh, DyT (Zhu et al. 2025, "Transformers without Normalization"): a stand-in for a norm, with no statistic.
#pragma once

#include "../tensor.h"

namespace normlab {

// y = weight * tanh(alpha * x) + bias for x[…, features]. alpha[1] is one number for all; weight[features] and
// bias[features]. An undefined one stands for 1, ones or zeros.
Tensor dynamic_tanh(const Tensor& x, const Tensor& alpha, const Tensor& weight, const Tensor& bias);

}  // namespace normlab
