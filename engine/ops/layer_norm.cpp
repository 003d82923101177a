// Layer normalization, row by row.
//
//   c = x - x_0,   mean = sum(c) / F,   variance = sum((c - mean)^2) / F,   r = 1 / sqrt(variance + epsilon)
//   n = (c - mean) * r
//   y = weight * n + bias
//
//   g  = dy * weight
//   dx = r * (g - mean(g) - n * mean(g * n))
//   dweight = sum over rows of dy * n,   dbias = sum over rows of dy
//
// The first element x_0 is taken off before anything is summed: where the mean is far larger than the deviation, a mean
// in T has lost the digits that x - mean consists of, whereas x - x_0 is exact. For the same reason the variance takes
// a second pass and is never E[x^2] - E[x]^2.
#include "layer_norm.h"

#include <algorithm>
#include <cmath>

#include "../parallel.h"
#include "../tape.h"
#include "row_map.h"

namespace normlab {
namespace {

// statistics[rows, 2]: mean and r of each row.
template <class T>
void layer_norm_forward(const T* x, const T* weight, const T* bias, Index rows, Index features, double epsilon, T* y,
                        T* statistics) {
  const auto w = row_of(weight, 0, features);
  const auto b = row_of(bias, 0, features);
  parallel_rows(rows, features, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto c = row_of(x, i, features) - x[i * features];
      const T mean = c.mean();
      const T variance = (c - mean).square().mean();
      const T r = 1 / std::sqrt(variance + static_cast<T>(epsilon));
      row_of(y, i, features) = (c - mean) * r * w + b;
      statistics[2 * i] = mean;
      statistics[2 * i + 1] = r;
    }
  });
}

template <class T>
void layer_norm_dx(const T* x, const T* weight, const T* statistics, const T* dy, Index rows, Index features, T* dx,
                   bool accumulate) {
  const auto w = row_of(weight, 0, features);
  parallel_rows(rows, features, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T mean = statistics[2 * i], r = statistics[2 * i + 1];
      const auto n = (row_of(x, i, features) - x[i * features] - mean) * r;
      const auto g = row_of(dy, i, features) * w;
      const T mean_g = g.mean();
      const T mean_gn = (g * n).mean();
      put(row_of(dx, i, features), (g - mean_g - n * mean_gn) * r, accumulate);
    }
  });
}

// Sums over rows go to sums[pieces, 2, features], one buffer for each piece of the rows, and from there in order to
// parameters[2, features]: first dweight, then dbias.
template <class T>
void layer_norm_dparameters(const T* x, const T* statistics, const T* dy, Index features, Pieces pieces, double* sums,
                            double* parameters) {
  parallel(pieces.count, [=](Index piece) {
    double* dweight = sums + piece * 2 * features;
    double* dbias = dweight + features;
    std::fill(dweight, dbias + features, 0.0);
    for (Index i = pieces.begin(piece); i < pieces.end(piece); ++i) {
      const T x0 = x[i * features], mean = statistics[2 * i], r = statistics[2 * i + 1];
      const T* x_row = x + i * features;
      const T* dy_row = dy + i * features;
      for (Index j = 0; j < features; ++j) {
        const T n = (x_row[j] - x0 - mean) * r;
        dweight[j] += static_cast<double>(dy_row[j] * n);
        dbias[j] += static_cast<double>(dy_row[j]);
      }
    }
  });
  std::fill(parameters, parameters + 2 * features, 0.0);
  for (Index piece = 0; piece < pieces.count; ++piece) {
    for (Index j = 0; j < 2 * features; ++j) parameters[j] += sums[piece * 2 * features + j];
  }
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  const Index features = x.columns();
  check(features > 0, "layer_norm: the last axis must not be empty, got ", x.shape());
  check(epsilon >= 0, "layer_norm: epsilon must not be negative, got ", epsilon);
  const Tensor w = weight.defined() ? weight.detach() : Tensor::full({features}, x.dtype(), 1);
  const Tensor b = bias.defined() ? bias.detach() : Tensor::zeros({features}, x.dtype());
  const auto check_parameter = [&](const char* name, const Tensor& parameter) {
    check(parameter.shape() == Shape{features} && parameter.dtype() == x.dtype(), "layer_norm: ", name, " must be ",
          x.dtype(), " [", features, "] for x of shape ", x.shape(), ", got ", parameter.dtype(), " ",
          parameter.shape());
  };
  check_parameter("weight", w);
  check_parameter("bias", b);
  Tensor y = empty_like(x);
  Tensor statistics = Tensor::empty({x.rows(), 2}, x.dtype());
  visit_real("layer_norm", x.dtype(), [&]<class T>() {
    layer_norm_forward(x.data<T>(), w.data<T>(), b.data<T>(), x.rows(), features, epsilon, y.data<T>(),
                       statistics.data<T>());
  });
  // Saved are x and two numbers a row: n is made again from them for less than it costs to keep.
  return record("layer_norm", {&x, &weight, &bias}, y,
                [x = x.detach(), w, statistics](const Tensor& dy, Gradients& into) {
    const Index n_features = x.columns();
    visit_real("layer_norm", x.dtype(), [&]<class T>() {
      if (into.wants(0)) {
        const auto dx = into.target(0);
        layer_norm_dx(x.data<T>(), w.data<T>(), statistics.data<T>(), dy.data<T>(), x.rows(), n_features,
                      dx.gradient.data<T>(), dx.accumulate);
      }
      if (!into.wants(1) && !into.wants(2)) return;
      const Pieces pieces = reduction_pieces(x.rows(), n_features);
      Tensor sums = Tensor::empty({pieces.count, 2, n_features}, Dtype::f64);
      Tensor parameters = Tensor::empty({2, n_features}, Dtype::f64);
      layer_norm_dparameters(x.data<T>(), statistics.data<T>(), dy.data<T>(), n_features, pieces, sums.data<double>(),
                             parameters.data<double>());
      for (const Index input : {1, 2}) {
        if (!into.wants(input)) continue;
        T* gradient = into[input].data<T>();
        const double* sum = parameters.data<double>() + (input - 1) * n_features;
        for (Index j = 0; j < n_features; ++j) gradient[j] += static_cast<T>(sum[j]);
      }
    });
  });
}

}  // namespace normlab
