// Dynamic tanh.
//
//   t = tanh(alpha * x)
//   y = weight * t + bias
//
//   g  = dy * weight * (1 - t^2)
//   dx = alpha * g
//   dalpha = sum of g * x,   dweight = sum over rows of dy * t,   dbias = sum over rows of dy
//
// Saved is x alone, and t made again: to keep it would take another matrix of memory. Where t is near 1, 1 - t^2 is
// accurate to the last digit of 1 and no further.
#include "dynamic_tanh.h"

#include "row_norm.inl"

namespace normlab {
namespace {

template <class T>
void dynamic_tanh_forward(const T* x, T alpha, const T* weight, const T* bias, Index rows, Index features, T* y) {
  const auto w = row_of(weight, 0, features);
  const auto b = row_of(bias, 0, features);
  parallel_rows(rows, features, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) row_of(y, i, features) = (row_of(x, i, features) * alpha).tanh() * w + b;
  });
}

// g and dx, and what they add to dweight and dbias, for `count` elements of a row, in one walk. A function of its own
// because g++ takes parameters alone at their word that they do not overlap.
template <bool kAdd, class T>
void block_backward(const T* __restrict t, T alpha, const T* __restrict weight, const T* __restrict dy, Index count,
                    T* __restrict g, T* __restrict dx, T* __restrict dweight, T* __restrict dbias) {
  for (Index j = 0; j < count; ++j) {
    g[j] = dy[j] * weight[j] * (1 - t[j] * t[j]);
    dx[j] = kAdd ? dx[j] + alpha * g[j] : alpha * g[j];
    dweight[j] += dy[j] * t[j];
    dbias[j] += dy[j];
  }
}

template <class T>
void dynamic_tanh_backward(const T* x, T alpha, const T* weight, const T* dy, Index rows, Index features,
                           Gradients& into) {
  const RowTarget<T> dx(into, 0);
  const Tensor sums = for_rows_with_sums<T>(rows, features, 2 * features + 1, [=](Index i, T* dweight) {
    T* dalpha = dweight + 2 * features;
    alignas(64) T t[kAtOnce], g[kAtOnce];
    for (Index begin = 0; begin < features; begin += kAtOnce) {
      const Index count = std::min(kAtOnce, features - begin), first = i * features + begin;
      const auto x_block = row_of(x + first, 0, count);
      row_of(t, 0, count) = (x_block * alpha).tanh();
      dx.make(first, [&]<bool kAdd>(T* into_dx) {
        block_backward<kAdd, T>(t, alpha, weight + begin, dy + first, count, g, into_dx, dweight + begin,
                                dweight + features + begin);
      });
      *dalpha += (row_of(g, 0, count) * x_block).sum();
    }
  });
  add_sums(into, 1, sums.data<double>() + 2 * features);
  add_sums(into, 2, sums.data<double>());
  add_sums(into, 3, sums.data<double>() + features);
}

}  // namespace

Tensor dynamic_tanh(const Tensor& x, const Tensor& alpha, const Tensor& weight, const Tensor& bias) {
  const Index features = x.columns();
  const Tensor a = parameter_of("dynamic_tanh", "alpha", alpha, x, 1, 1);
  const Tensor w = parameter_of("dynamic_tanh", "weight", weight, x, features, 1);
  const Tensor b = parameter_of("dynamic_tanh", "bias", bias, x, features, 0);
  const auto forward = [x = x.detach(), a, w, b]() {
    Tensor y = empty_like(x);
    visit_real("dynamic_tanh", x.dtype(), [&]<class T>() {
      dynamic_tanh_forward(x.data<T>(), *a.data<T>(), w.data<T>(), b.data<T>(), x.rows(), x.columns(), y.data<T>());
    });
    return y;
  };
  const auto backward = [x = x.detach(), a, w](const Tensor& dy, Gradients& into) {
    visit_real("dynamic_tanh", x.dtype(), [&]<class T>() {
      dynamic_tanh_backward(x.data<T>(), *a.data<T>(), w.data<T>(), dy.data<T>(), x.rows(), x.columns(), into);
    });
  };
  return record("dynamic_tanh", {&x, &alpha, &weight, &bias}, forward(), backward, Kept(forward));
}

}  // namespace normlab
