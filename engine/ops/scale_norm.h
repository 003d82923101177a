// ScaleNorm (Nguyen & Salazar 2019, "Transformers without Tears") over the last axis.
#pragma once

#include "../tensor.h"

namespace normlab {

// For each row: y = g * x / sqrt(sum(x^2) + epsilon), a vector of length g. g[1] is one number for all features; an
// undefined one stands for 1. Error where epsilon and a whole row are 0.
Tensor scale_norm(const Tensor& x, const Tensor& g, double epsilon);

}  // namespace normlab
