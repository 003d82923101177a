// Columns: the passes over a matrix that batch, PN-V and power normalization are made of. For the sources of ops.
//
// With one number for each feature, in double, for all that does not carry a row's index:
//   n_i  = (x_i - center) * rate
//   y_i  = weight * n_i + bias
//   dx_i = a * dy_i + b * n_i + c,   only a * dy_i where row i does not count
// A pass that measures and writes at once costs one trip to memory.
// Sums are made in the matrix's own type within a block and in double across blocks, over fixed pieces in fixed order.
#pragma once

#include "../ghost_batches.h"
#include "../tape.h"
#include "column_sums.h"

namespace normlab {

// The rows of x[tokens, features] that a pass goes over.
struct Columns {
  const Tensor& x;
  const Rows& rows;
  GhostBatch ghost;
};

// How x becomes n. A null pointer stands for zeros.
struct Normalizer {
  const double* center = nullptr;
  const double* rate = nullptr;
};

// The mean of each feature over the counted rows and, about it, the variance (divided by the number of rows).
// Error unless a row counts.
void measure_columns(const char* op, const Columns& at, double* mean, double* variance);
// The second moment mean(x^2) of each feature over the counted rows.
void measure_columns(const char* op, const Columns& at, double* second_moment);

// One trip over x that writes y = weight * n + bias of all rows, counted or not, and measures the second moment; each
// only if it is not null. weight and bias [features] in the type of x.
void normalize_columns(const char* op, const Columns& at, const Normalizer& normalizer, const Tensor& weight,
                       const Tensor& bias, Tensor* y, double* second_moment = nullptr);

// Makes that y again, ghost batch k with row k of center, undefined for zeros, and of rate.
Remake remake_columns(const char* op, const Tensor& x, const Rows& rows, const std::vector<GhostBatch>& ghosts,
                      const Tensor& center, const Tensor& rate, const Tensor& weight, const Tensor& bias);

// For each feature the sums of dy and of dy * n over all rows, counted or not.
struct GradientSums {
  double* dy = nullptr;
  double* dyn = nullptr;
};
// The factors of dx; null for zeros. c may be given only with a center.
struct GradientFactors {
  const double* a = nullptr;
  const double* b = nullptr;
  const double* c = nullptr;
};
// One trip over x and dy that makes the sums and writes dx, or adds to what is there; each only if it is not null.
void gradient_columns(const char* op, const Columns& at, const Tensor& dy, const Normalizer& normalizer,
                      const GradientFactors& factors, Tensor* dx, bool accumulate, const GradientSums& sums);

// rate = 1 / sqrt(variance + epsilon), all [features]. Error where variance + epsilon is zero.
void rate_of(const char* op, const double* variance, Index features, double epsilon, double* rate);
// Row `row` of a matrix in f64; null where there is no matrix.
double* row_at(Tensor& x, std::size_t row);
// Does it hold a number for each feature, f64 [features]?
bool holds_features(const Tensor& x, Index features);

// Error unless weight and bias are [features] in the type of x, and Rows has the rows of x.
void check_columns(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows);

}  // namespace normlab
