// ScaleNorm, row by row.
//
//   r = 1 / sqrt(sum(x^2) + epsilon)
//   n = x * r
//   y = g * n
//
//   s  = sum(dy * n)
//   dx = g * r * (dy - n * s)
//   dg = sum over rows of s
#include "scale_norm.h"

#include "row_norm.inl"

namespace normlab {
namespace {

// r[rows].
template <class T>
void scale_norm_forward(const T* x, T g, Index rows, Index features, double epsilon, T* y, T* r) {
  parallel_rows(rows, features, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto x_row = row_of(x, i, features);
      r[i] = inverse_root("scale_norm", "sum(x^2)", i, x_row.square().sum() + static_cast<T>(epsilon));
      row_of(y, i, features) = x_row * (g * r[i]);
    }
  });
}

template <class T>
void scale_norm_backward(const T* x, T g, const T* r, const T* dy, Index rows, Index features, Gradients& into) {
  const RowTarget<T> dx(into, 0);
  const Tensor dg = for_rows_with_sums<T>(rows, features, 1, [=](Index i, T* sum) {
    const auto dy_row = row_of(dy, i, features);
    const auto n = row_of(x, i, features) * r[i];
    const T s = (dy_row * n).sum();
    dx.put(i, features, (dy_row - n * s) * (g * r[i]));
    *sum += s;
  });
  add_sums(into, 1, dg.data<double>());
}

}  // namespace

Tensor scale_norm(const Tensor& x, const Tensor& g, double epsilon) {
  check(x.columns() > 0, "scale_norm: the last axis must not be empty, got ", x.shape());
  check(epsilon >= 0, "scale_norm: epsilon must not be negative, got ", epsilon);
  const Tensor factor = parameter_of("scale_norm", "g", g, x, 1, 1);
  Tensor r = Tensor::empty({x.rows()}, x.dtype());
  auto forward = [epsilon, x = x.detach(), factor, r]() mutable {
    Tensor y = empty_like(x);
    visit_real("scale_norm", x.dtype(), [&]<class T>() {
      scale_norm_forward(x.data<T>(), *factor.data<T>(), x.rows(), x.columns(), epsilon, y.data<T>(), r.data<T>());
    });
    return y;
  };
  const auto backward = [x = x.detach(), factor, r](const Tensor& dy, Gradients& into) {
    visit_real("scale_norm", x.dtype(), [&]<class T>() {
      scale_norm_backward(x.data<T>(), *factor.data<T>(), r.data<T>(), dy.data<T>(), x.rows(), x.columns(), into);
    });
  };
  return record("scale_norm", {&x, &g}, forward(), backward, Kept(forward));
}

}  // namespace normlab
