// Batch normalization, feature by feature; sums and means are over the rows i of a ghost batch.
//
//   mean = sum(x_i) / N,   variance = sum((x_i - mean)^2) / N,   r = 1 / sqrt(variance + epsilon)    N rows that count
//   n_i = (x_i - mean) * r
//   y_i = weight * n_i + bias
//
//   g_i  = dy_i * weight
//   dx_i = r * (g_i - mean_g - n_i * mean_gn),   mean_g = sum(g_i) / N,   mean_gn = sum(g_i * n_i) / N
//   dweight = sum(dy_i * n_i),   dbias = sum(dy_i)
//
// The two means are the gradient through mean and through variance (Shen et al. 2020, Eq. 3, print 1 / weight for
// weight). All rows are normalized by the statistics and so add to the sums; the statistics depend only on rows that
// count, so for the others dx_i = r * g_i. PN-V leaves out the mean, in x and in g: its variance is the second moment.
#include "batch_norm.h"

#include <optional>

#include "../tape.h"
#include "columns.h"

namespace normlab {
namespace {

BatchNormalized normalize(const char* op, bool centered, const Tensor& x, const Tensor& weight, const Tensor& bias,
                          const Rows& rows, Index statistics_tokens, double epsilon) {
  check_columns(op, x, weight, bias, rows);
  const Index features = x.columns();
  const auto ghosts = ghost_batches(rows, statistics_tokens);
  const Shape per_ghost{static_cast<Index>(ghosts.size()), features};
  const auto seen = std::make_shared<BatchStatistics>();
  seen->variance = Tensor::empty(per_ghost, Dtype::f64);
  if (centered) seen->mean = Tensor::empty(per_ghost, Dtype::f64);
  Tensor rate = Tensor::empty(per_ghost, Dtype::f64);
  Tensor y = empty_like(x);
  for (std::size_t k = 0; k < ghosts.size(); ++k) {
    const Columns at{x, rows, ghosts[k]};
    double* mean = row_at(seen->mean, k);
    double* variance = row_at(seen->variance, k);
    if (centered) {
      measure_columns(op, at, mean, variance);
    } else {
      measure_columns(op, at, variance);
    }
    rate_of(op, variance, features, epsilon, row_at(rate, k));
    normalize_columns(op, at, {mean, row_at(rate, k)}, weight, bias, &y);
  }

  const auto backward = [op, x = x.detach(), w = weight.detach(), rows, ghosts, seen, rate](const Tensor& dy,
                                                                                            Gradients& into) mutable {
    const Index width = x.columns();
    const Tensor w64 = w.cast(Dtype::f64);
    if (seen->mean.defined()) seen->mean_g = zeros_like(rate);
    seen->mean_gn = zeros_like(rate);
    Tensor sums = Tensor::zeros({2, width}, Dtype::f64), factors = Tensor::zeros({3, width}, Dtype::f64);
    double* sum_dy = row_at(sums, 0);
    double* sum_dyn = row_at(sums, 1);
    const GradientFactors f{row_at(factors, 0), row_at(factors, 1), row_at(factors, 2)};
    std::optional<Gradients::Target> dx;
    if (into.wants(0)) dx.emplace(into.target(0));
    for (std::size_t k = 0; k < ghosts.size(); ++k) {
      const Columns at{x, rows, ghosts[k]};
      const Normalizer normalizer{row_at(seen->mean, k), row_at(rate, k)};
      gradient_columns(op, at, dy, normalizer, {}, nullptr, false, {sum_dy, sum_dyn});
      add_sums(into, 1, sum_dyn);
      add_sums(into, 2, sum_dy);
      if (!dx) continue;
      double* mean_g = row_at(seen->mean_g, k);
      double* mean_gn = row_at(seen->mean_gn, k);
      for (Index j = 0; j < width; ++j) {
        const double r = normalizer.rate[j], weight_j = w64.data<double>()[j];
        const auto counted = static_cast<double>(ghosts[k].counted);
        mean_gn[j] = weight_j * sum_dyn[j] / counted;
        if (mean_g) mean_g[j] = weight_j * sum_dy[j] / counted;
        row_at(factors, 0)[j] = r * weight_j;
        row_at(factors, 1)[j] = -r * mean_gn[j];
        row_at(factors, 2)[j] = mean_g ? -r * mean_g[j] : 0;
      }
      gradient_columns(op, at, dy, normalizer, f, &dx->gradient, dx->accumulate, {});
    }
  };
  const Remake remake = remake_columns(op, x, rows, ghosts, seen->mean, rate, weight, bias);
  return {record(op, {&x, &weight, &bias}, y, backward, Kept(remake)), seen};
}

}  // namespace

BatchNormalized batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows,
                           Index statistics_tokens, double epsilon) {
  return normalize("batch_norm", true, x, weight, bias, rows, statistics_tokens, epsilon);
}

BatchNormalized power_norm_v(const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows,
                             Index statistics_tokens, double epsilon) {
  return normalize("power_norm_v", false, x, weight, bias, rows, statistics_tokens, epsilon);
}

Tensor fixed_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& variance,
                  double epsilon) {
  const Rows rows = Rows::single(x.rows());
  check_columns("fixed_norm", x, weight, bias, rows);
  const Index features = x.columns();
  check(holds_features(variance, features) && (!mean.defined() || holds_features(mean, features)),
        "fixed_norm: mean and variance must be f64 [", features, "] for x of shape ", x.shape(), ", got ", mean.dtype(),
        " ", mean.shape(), " and ", variance.dtype(), " ", variance.shape());
  const Columns at{x, rows, {0, x.rows(), x.rows()}};
  Tensor rate = Tensor::empty({features}, Dtype::f64);
  rate_of("fixed_norm", variance.data<double>(), features, epsilon, rate.data<double>());
  Tensor y = empty_like(x);
  normalize_columns("fixed_norm", at, {mean.defined() ? mean.data<double>() : nullptr, rate.data<double>()}, weight,
                    bias, &y);
  return record("fixed_norm", {&x, &weight, &bias}, y,
                [x = x.detach(), w = weight.detach(), mean, rate](const Tensor& dy, Gradients& into) {
                  const Rows all = Rows::single(x.rows());
                  const Columns here{x, all, {0, x.rows(), x.rows()}};
                  const Index width = x.columns();
                  Tensor sums = Tensor::zeros({2, width}, Dtype::f64), a = w.cast(Dtype::f64);
                  for (Index j = 0; j < width; ++j) a.data<double>()[j] *= rate.data<double>()[j];
                  const Normalizer normalizer{mean.defined() ? mean.data<double>() : nullptr, rate.data<double>()};
                  const GradientSums seen{row_at(sums, 0), row_at(sums, 1)};
                  const GradientFactors factors{.a = a.data<double>()};
                  if (into.wants(0)) {
                    const auto dx = into.target(0);
                    gradient_columns("fixed_norm", here, dy, normalizer, factors, &dx.gradient, dx.accumulate, seen);
                  } else {
                    gradient_columns("fixed_norm", here, dy, normalizer, factors, nullptr, false, seen);
                  }
                  add_sums(into, 1, seen.dyn);
                  add_sums(into, 2, seen.dy);
                });
}

}  // namespace normlab
