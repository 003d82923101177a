// The penalty on batch statistics, with N rows i that count in a ghost batch:
//
//   y = mean_factor * sum_j (mean_B - mean)^2 + variance_factor * sum_j |variance_B - variance|
//
//   dx_i = dy * (2 * mean_factor * (mean_B - mean) + 2 * variance_factor * sign(variance_B - variance) * (x_i -
//   mean_B)) / N
#include "statistics_penalty.h"

#include <cmath>

#include "../tape.h"
#include "columns.h"

namespace normlab {

Tensor statistics_penalty(const Tensor& x, const Rows& rows, Index statistics_tokens, const Tensor& mean,
                          const Tensor& variance, double mean_factor, double variance_factor) {
  const Index features = x.columns();
  check(rows.tokens() == x.rows(), "statistics_penalty: x must hold the tokens of its rows, got ", x.shape(), " for ",
        rows.tokens(), " tokens");
  check(mean.shape() == Shape{features} && variance.shape() == Shape{features},
        "statistics_penalty: mean and variance must be [", features, "] for x of shape ", x.shape(), ", got ",
        mean.shape(), " and ", variance.shape());
  const auto ghosts = ghost_batches(rows, statistics_tokens);
  const Index count = static_cast<Index>(ghosts.size());
  Tensor batch_mean = Tensor::empty({count, features}, Dtype::f64),
         slope = Tensor::empty({count, features}, Dtype::f64), turn = Tensor::empty({count, features}, Dtype::f64);
  double penalty = 0;
  for (std::size_t k = 0; k < ghosts.size(); ++k) {
    double* m = row_at(batch_mean, k);
    double* c = row_at(slope, k);
    double* b = row_at(turn, k);
    measure_columns("statistics_penalty", {x, rows, ghosts[k]}, m, b);
    const auto counted = static_cast<double>(ghosts[k].counted);
    for (Index j = 0; j < features; ++j) {
      const double off = m[j] - mean.data<double>()[j], wide = b[j] - variance.data<double>()[j];
      penalty += mean_factor * off * off + variance_factor * std::abs(wide);
      c[j] = 2 * mean_factor * off / counted;
      b[j] = 2 * variance_factor * (wide > 0 ? 1 : wide < 0 ? -1 : 0) / counted;
    }
  }
  return record("statistics_penalty", {&x}, Tensor::scalar(penalty, x.dtype()),
                [x = x.detach(), rows, ghosts, batch_mean, slope, turn](const Tensor& dy, Gradients& into) mutable {
                  if (!into.wants(0)) return;
                  const auto dx = into.target(0);
                  Tensor scaled = Tensor::full({3, x.columns()}, Dtype::f64, 1);  // rate, b, c
                  for (std::size_t k = 0; k < ghosts.size(); ++k) {
                    for (Index j = 0; j < x.columns(); ++j) {
                      row_at(scaled, 1)[j] = dy.item() * row_at(turn, k)[j];
                      row_at(scaled, 2)[j] = dy.item() * row_at(slope, k)[j];
                    }
                    // With no factor on dy any matrix may stand there.
                    gradient_columns("statistics_penalty", {x, rows, ghosts[k]}, x,
                                     {row_at(batch_mean, k), row_at(scaled, 0)},
                                     {.b = row_at(scaled, 1), .c = row_at(scaled, 2)}, &dx.gradient, dx.accumulate, {});
                  }
                });
}

}  // namespace normlab
