// Root mean square normalization, row by row; each of the `groups` runs of a row by itself.
//
//   r = 1 / sqrt(mean(x^2) + epsilon)
//   n = x * r
//   y = weight * n
//
//   g  = dy * weight
//   dx = r * (g - n * mean(g * n))
//   dweight = sum over rows of dy * n
#include "rms_norm.h"

#include "row_norm.inl"

namespace normlab {
namespace {

// x and y are [rows, groups, run], weight [groups, run], r [rows, groups].
template <class T>
void rms_norm_forward(const T* x, const T* weight, Index rows, Index groups, Index run, double epsilon, T* y, T* r) {
  parallel_rows(rows, groups * run, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      for (Index group = 0; group < groups; ++group) {
        const Index at = i * groups + group;
        const auto x_run = row_of(x, at, run);
        r[at] = inverse_root("rms_norm", "mean(x^2)", i, x_run.square().mean() + static_cast<T>(epsilon));
        row_of(y, at, run) = x_run * r[at] * row_of(weight, group, run);
      }
    }
  });
}

template <class T>
void rms_norm_backward(const T* x, const T* weight, const T* r, const T* dy, Index rows, Index groups, Index run,
                       Gradients& into) {
  const Index features = groups * run;
  const RowTarget<T> dx(into, 0);
  const bool wants_weight = into.wants(1);
  const Tensor sums = for_rows_with_sums<T>(rows, features, wants_weight ? features : 0, [=](Index i, T* dweight) {
    for (Index group = 0; group < groups; ++group) {
      const Index at = i * groups + group;
      const auto dy_run = row_of(dy, at, run);
      const auto n = row_of(x, at, run) * r[at];
      const auto g = dy_run * row_of(weight, group, run);
      const T mean_gn = (g * n).mean();
      dx.put(at, run, (g - n * mean_gn) * r[at]);
      if (wants_weight) row_of(dweight, group, run) += dy_run * n;
    }
  });
  add_sums(into, 1, sums.data<double>());
}

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, Index groups, double epsilon) {
  const Index rows = x.rows(), features = x.columns();
  check_groups("rms_norm", x, groups);
  check(epsilon >= 0, "rms_norm: epsilon must not be negative, got ", epsilon);
  const Tensor w = parameter_of("rms_norm", "weight", weight, x, features, 1);
  Tensor r = Tensor::empty({rows, groups}, x.dtype());
  auto forward = [groups, epsilon, x = x.detach(), w, r]() mutable {
    Tensor y = empty_like(x);
    visit_real("rms_norm", x.dtype(), [&]<class T>() {
      rms_norm_forward(x.data<T>(), w.data<T>(), x.rows(), groups, x.columns() / groups, epsilon, y.data<T>(),
                       r.data<T>());
    });
    return y;
  };
  const auto backward = [x = x.detach(), w, r, groups](const Tensor& dy, Gradients& into) {
    visit_real("rms_norm", x.dtype(), [&]<class T>() {
      rms_norm_backward(x.data<T>(), w.data<T>(), r.data<T>(), dy.data<T>(), x.rows(), groups, x.columns() / groups,
                        into);
    });
  };
  return record("rms_norm", {&x, &weight}, forward(), backward, Kept(forward));
}

}  // namespace normlab
