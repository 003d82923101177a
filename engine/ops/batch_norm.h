// Batch normalization (Ioffe & Szegedy 2015) over the tokens of a batch, and PN-V (Shen et al. 2020), the same without
// the mean.
#pragma once

#include <memory>

#include "../rows.h"
#include "../tensor.h"

namespace normlab {

// What each ghost batch showed; f64 [ghosts, features].
struct BatchStatistics {
  Tensor mean;      // over the rows that count; undefined in PN-V
  Tensor variance;  // about the mean, divided by the number of rows; in PN-V the second moment
  // Once backward has run, with g = weight * dy: the means of g (not in PN-V) and of g * n that dx is freed of.
  Tensor mean_g, mean_gn;
};

struct BatchNormalized {
  Tensor y;
  std::shared_ptr<const BatchStatistics> statistics;
};

// n = (x - mean) / sqrt(variance + epsilon), y = weight * n + bias, feature by feature, for x[tokens, features] packed
// as `rows`. Mean and variance are of the rows that count, in ghost batches of at most `statistics_tokens` (0: all in
// one); rows that do not count are normalized along. No token gives an empty y, one token y = bias. Error when
// of some tokens none counts, or when variance + epsilon is zero.
BatchNormalized batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows,
                           Index statistics_tokens, double epsilon);

// n = x / sqrt(mean(x^2) + epsilon), otherwise as batch_norm (Shen et al. 2020, section 4.1, "PN-V"); one token gives
// about y = weight * sign(x) + bias.
BatchNormalized power_norm_v(const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows,
                             Index statistics_tokens, double epsilon);

// Either with statistics given, as in evaluation: y = weight * (x - mean) / sqrt(variance + epsilon) + bias, mean and
// variance f64 [features] and constant; an undefined mean is zero. Error for other shapes, or where variance + epsilon
// is zero.
Tensor fixed_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& variance,
                  double epsilon);

}  // namespace normlab
