// Element-wise ops: y_i depends on x_i alone, so that dx_i = dy_i * (derivative at x_i).
//
//   add        y = a + b          da = dy           db = dy
//   subtract   y = a - b          da = dy           db = -dy
//   multiply   y = a * b          da = dy * b       db = dy * a
//   add_bias   y = x + bias       dx = dy           dbias = sum over rows of dy
//   scale      y = factor * x     dx = factor * dy
//   relu       y = max(x, 0)      dx = dy where x > 0, else 0
//   gelu       y = x Phi(x)       dx = dy (Phi(x) + x phi(x))
//
// Phi(x) = (1 + erf(x / sqrt 2)) / 2 is the normal distribution function, phi(x) = exp(-x^2 / 2) / sqrt(2 pi) its density.
#include "elementwise.h"

#include <Eigen/Core>
#include <algorithm>
#include <numbers>
#include <unsupported/Eigen/SpecialFunctions>

#include "../parallel.h"
#include "../tape.h"
#include "column_sums.h"
#include "pointwise.h"

namespace normlab {
namespace {

template <class T>
using Block = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstBlock = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

template <class T>
void gelu_forward(const T* x, Index size, T* y) {
  constexpr T half = T(0.5), inverse_root_2 = T(1 / std::numbers::sqrt2);
  parallel_rows(size, 16, [=](Index begin, Index end) {
    const ConstBlock<T> u(x + begin, end - begin);
    Block<T>(y + begin, end - begin) = half * u * (1 + (inverse_root_2 * u).erf());
  });
}

// y = gelu'(x), without the factor dy.
template <class T>
void gelu_derivative(const T* x, Index size, T* y) {
  constexpr T half = T(0.5), inverse_root_2 = T(1 / std::numbers::sqrt2);
  constexpr T inverse_root_2_pi = T(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  const ConstBlock<T> u(x, size);
  Block<T>(y, size) = half * (1 + (inverse_root_2 * u).erf()) + inverse_root_2_pi * u * (-half * u.square()).exp();
}

template <class T>
void gelu_backward(const T* x, const T* dy, Index size, T* dx, bool accumulate) {
  constexpr Index kBlock = 256;
  parallel_rows(size, 16, [=](Index begin, Index end) {
    T derivative[kBlock];
    for (; begin < end; begin += kBlock) {
      const Index count = std::min(kBlock, end - begin);
      gelu_derivative(x + begin, count, derivative);
      for (Index i = 0; i < count; ++i) {
        const T value = dy[begin + i] * derivative[i];
        dx[begin + i] = accumulate ? dx[begin + i] + value : value;
      }
    }
  });
}

template <class T>
void add_bias_forward(const T* x, const T* bias, Index rows, Index n, T* y) {
  parallel_rows(rows, n, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      for (Index j = 0; j < n; ++j) y[i * n + j] = x[i * n + j] + bias[j];
    }
  });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  check_alike("add", a, b);
  Tensor y = empty_like(a);
  visit_real("add", a.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(), [a = a.data<T>(), b = b.data<T>()](Index i) { return a[i] + b[i]; });
  });
  return record("add", {&a, &b}, y, [](const Tensor& dy, Gradients& into) {
    visit_real("add", dy.dtype(), [&]<class T>() {
      const auto copied = [dy = dy.data<T>()](Index i) { return dy[i]; };
      add_gradient<T>(into, 0, copied);
      add_gradient<T>(into, 1, copied);
    });
  });
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  check_alike("subtract", a, b);
  Tensor y = empty_like(a);
  visit_real("subtract", a.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(), [a = a.data<T>(), b = b.data<T>()](Index i) { return a[i] - b[i]; });
  });
  return record("subtract", {&a, &b}, y, [](const Tensor& dy, Gradients& into) {
    visit_real("subtract", dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0, [dy = dy.data<T>()](Index i) { return dy[i]; });
      add_gradient<T>(into, 1, [dy = dy.data<T>()](Index i) { return -dy[i]; });
    });
  });
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  check_alike("multiply", a, b);
  Tensor y = empty_like(a);
  visit_real("multiply", a.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(), [a = a.data<T>(), b = b.data<T>()](Index i) { return a[i] * b[i]; });
  });
  return record("multiply", {&a, &b}, y, [a, b](const Tensor& dy, Gradients& into) {
    visit_real("multiply", dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0, [dy = dy.data<T>(), b = b.data<T>()](Index i) { return dy[i] * b[i]; });
      add_gradient<T>(into, 1, [dy = dy.data<T>(), a = a.data<T>()](Index i) { return dy[i] * a[i]; });
    });
  });
}

Tensor add_bias(const Tensor& x, const Tensor& bias) {
  check(bias.shape() == Shape{x.columns()} && bias.dtype() == x.dtype(), "add_bias: bias must be ", x.dtype(), " [",
        x.columns(), "] for x ", x.shape(), ", got ", bias.dtype(), " ", bias.shape());
  Tensor y = empty_like(x);
  visit_real("add_bias", x.dtype(), [&]<class T>() {
    add_bias_forward(x.data<T>(), bias.data<T>(), x.rows(), x.columns(), y.data<T>());
  });
  return record("add_bias", {&x, &bias}, y, [](const Tensor& dy, Gradients& into) {
    visit_real("add_bias", dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0, [dy = dy.data<T>()](Index i) { return dy[i]; });
    });
    if (into.wants(1)) {
      const Gradients::Target dbias = into.target(1);
      column_sums(dy, 1, dbias.gradient, dbias.accumulate);
    }
  });
}

Tensor scale(const Tensor& x, double factor) {
  Tensor y = empty_like(x);
  visit_real("scale", x.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(), [x = x.data<T>(), f = static_cast<T>(factor)](Index i) { return f * x[i]; });
  });
  return record("scale", {&x}, y, [factor](const Tensor& dy, Gradients& into) {
    visit_real("scale", dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0, [dy = dy.data<T>(), f = static_cast<T>(factor)](Index i) { return f * dy[i]; });
    });
  });
}

// NaN passes: a comparison with it is false. Saved is y, which the next op needs anyway; y > 0 exactly where x > 0.
Tensor relu(const Tensor& x) {
  if (watched()) Tape::current()->observer()->kink(x);
  Tensor y = empty_like(x);
  visit_real("relu", x.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(), [x = x.data<T>()](Index i) { return x[i] < 0 ? T(0) : x[i]; });
  });
  return record("relu", {&x}, y, [y](const Tensor& dy, Gradients& into) {
    visit_real("relu", dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0, [dy = dy.data<T>(), y = y.data<T>()](Index i) { return y[i] > 0 ? dy[i] : T(0); });
    });
  });
}

Tensor gelu(const Tensor& x) {
  Tensor y = empty_like(x);
  visit_real("gelu", x.dtype(), [&]<class T>() { gelu_forward(x.data<T>(), x.size(), y.data<T>()); });
  return record("gelu", {&x}, y, [x](const Tensor& dy, Gradients& into) {
    if (!into.wants(0)) return;
    const Gradients::Target dx = into.target(0);
    visit_real("gelu", dy.dtype(), [&]<class T>() {
      gelu_backward(x.data<T>(), dy.data<T>(), x.size(), dx.gradient.data<T>(), dx.accumulate);
    });
  });
}

}  // namespace normlab
