// The penalty of Regularized Batch Normalization (Wang, Wu & Huang 2022) on the distance of batch from running
// statistics.
#pragma once

#include "../rows.h"
#include "../tensor.h"

namespace normlab {

// mean_factor * sum((mean_B - mean)^2) + variance_factor * sum(|variance_B - variance|), summed over features and over
// ghost batches as in batch_norm; shape []. mean_B and variance_B are of the rows of x[tokens, features] that count;
// mean and variance, f64 [features], are constant.
Tensor statistics_penalty(const Tensor& x, const Rows& rows, Index statistics_tokens, const Tensor& mean,
                          const Tensor& variance, double mean_factor, double variance_factor);

}  // namespace normlab
