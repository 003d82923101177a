// Layer normalization, row by row; and group normalization, which does the same to each of the `groups` runs of a row.
// For a run of F features:
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

#include "row_norm.inl"

namespace normlab {
namespace {

// x and y are [rows, groups, run], weight and bias [groups, run], and statistics[rows, groups, 2] the mean and r of
// each run.
template <class T>
void normalize_forward(const char* op, const T* x, const T* weight, const T* bias, Index rows, Index groups, Index run,
                       double epsilon, T* y, T* statistics) {
  parallel_rows(rows, groups * run, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      for (Index group = 0; group < groups; ++group) {
        const Index at = i * groups + group;
        const auto c = row_of(x, at, run) - x[at * run];
        const T mean = c.mean();
        const T variance = (c - mean).square().mean();
        const T r = inverse_root(op, "variance", i, variance + static_cast<T>(epsilon));
        row_of(y, at, run) = (c - mean) * r * row_of(weight, group, run) + row_of(bias, group, run);
        statistics[2 * at] = mean;
        statistics[2 * at + 1] = r;
      }
    }
  });
}

template <class T>
struct RunNumbers {
  T origin, mean, r, mean_g, mean_gn;
};

// dx, and what it adds to dweight and dbias, for `count` elements of a run, in one walk. A function of its own
// because g++ takes parameters alone at their word that they do not overlap.
template <bool kAdd, class T>
void run_backward(const T* __restrict x, const T* __restrict weight, const T* __restrict dy, Index count,
                  const RunNumbers<T>& run, T* __restrict dx, T* __restrict dweight, T* __restrict dbias) {
  const auto [origin, mean, r, mean_g, mean_gn] = run;
  for (Index j = 0; j < count; ++j) {
    const T n = (x[j] - origin - mean) * r;
    const T value = (dy[j] * weight[j] - mean_g - n * mean_gn) * r;
    dx[j] = kAdd ? dx[j] + value : value;
    dweight[j] += dy[j] * n;
    dbias[j] += dy[j];
  }
}

template <class T>
void normalize_backward(const T* x, const T* weight, const T* statistics, const T* dy, Index rows, Index groups,
                        Index run, Gradients& into) {
  const Index features = groups * run;
  const RowTarget<T> dx(into, 0);
  const Tensor sums = for_rows_with_sums<T>(rows, features, 2 * features, [=](Index i, T* dweight) {
    for (Index group = 0; group < groups; ++group) {
      const Index first = i * features + group * run, at = i * groups + group;
      const T origin = x[first], mean = statistics[2 * at], r = statistics[2 * at + 1];
      const auto n = [=](Index j) { return (x[first + j] - origin - mean) * r; };
      const auto g = [=](Index j) { return dy[first + j] * weight[group * run + j]; };
      const auto [sum_g, sum_gn] = two_sums<T>(run, [=](Index j) { return std::pair<T, T>(g(j), g(j) * n(j)); });
      const T mean_g = sum_g / static_cast<T>(run), mean_gn = sum_gn / static_cast<T>(run);
      for (Index begin = 0; begin < run; begin += kAtOnce) {
        const Index count = std::min(kAtOnce, run - begin), column = group * run + begin;
        dx.make(first + begin, [&]<bool kAdd>(T* into_dx) {
          run_backward<kAdd, T>(x + first + begin, weight + column, dy + first + begin, count,
                                {origin, mean, r, mean_g, mean_gn}, into_dx, dweight + column,
                                dweight + features + column);
        });
      }
    }
  });
  add_sums(into, 1, sums.data<double>());
  add_sums(into, 2, sums.data<double>() + features);
}

// Saved are x and two numbers a run: n, and y too, are made again from them for less than it costs to keep.
Tensor normalize(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, Index groups,
                 double epsilon) {
  const Index features = x.columns();
  check(epsilon >= 0, op, ": epsilon must not be negative, got ", epsilon);
  const Tensor w = parameter_of(op, "weight", weight, x, features, 1);
  const Tensor b = parameter_of(op, "bias", bias, x, features, 0);
  Tensor statistics = Tensor::empty({x.rows(), groups, 2}, x.dtype());
  auto forward = [op, groups, epsilon, x = x.detach(), w, b, statistics]() mutable {
    Tensor y = empty_like(x);
    visit_real(op, x.dtype(), [&]<class T>() {
      normalize_forward(op, x.data<T>(), w.data<T>(), b.data<T>(), x.rows(), groups, x.columns() / groups, epsilon,
                        y.data<T>(), statistics.data<T>());
    });
    return y;
  };
  const auto backward = [op, groups, x = x.detach(), w, statistics](const Tensor& dy, Gradients& into) {
    visit_real(op, x.dtype(), [&]<class T>() {
      normalize_backward(x.data<T>(), w.data<T>(), statistics.data<T>(), dy.data<T>(), x.rows(), groups,
                         x.columns() / groups, into);
    });
  };
  return record(op, {&x, &weight, &bias}, forward(), backward, Kept(forward));
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  check(x.columns() > 0, "layer_norm: the last axis must not be empty, got ", x.shape());
  return normalize("layer_norm", x, weight, bias, 1, epsilon);
}

Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Index groups, double epsilon) {
  check_groups("group_norm", x, groups);
  return normalize("group_norm", x, weight, bias, groups, epsilon);
}

}  // namespace normlab
