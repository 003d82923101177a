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
// Phi(x) = erfc(-x / sqrt 2) / 2 is the normal distribution function, phi(x) = exp(-x^2 / 2) / sqrt(2 pi) its density.
#include "elementwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "../parallel.h"
#include "../tape.h"
#include "column_sums.h"
#include "exponential.h"
#include "pointwise.h"

namespace normlab {
namespace {

// exponential[i] = exp(-x_i^2 / 2) and tail[i] = Phi(-|x_i|), which is small but never the difference of two large
// numbers.
//
// In f32, tail = exponential * t (c_1 + c_2 t + … + c_9 t^8) with t = 1 / (1 + 0.35 |x|): the form of Abramowitz &
// Stegun 26.2.17, with more terms. The coefficients are our own fit by weighted least squares; relative error 3e-8.
template <class T>
void normal_tail(const T* x, Index size, T* exponential, T* tail) {
  for (Index i = 0; i < size; ++i) exponential[i] = T(-0.5) * x[i] * x[i];
  exponentials(exponential, T{0}, size, exponential);
  for (Index i = 0; i < size; ++i) {
    if constexpr (std::is_same_v<T, float>) {
      constexpr float c[] = {0.139621404f, 0.139861869f,  0.11983287f,  0.105507995f,  -0.0231098125f,
                             0.159174127f, -0.255714225f, 0.143971684f, -0.0291459275f};
      const float t = 1 / (1 + 0.35f * std::abs(x[i]));
      float polynomial = 0;
      for (int degree = 8; degree >= 0; --degree) polynomial = polynomial * t + c[degree];
      tail[i] = exponential[i] * t * polynomial;
    } else {
      tail[i] = std::erfc(std::abs(x[i]) / std::numbers::sqrt2) / 2;
    }
  }
}

constexpr Index kBlock = 256;  // elements of x whose tails are at hand at a time

// x Phi(x) = max(x, 0) - |x| Phi(-|x|)
template <class T>
void gelu_forward(const T* x, Index size, T* y) {
  parallel_rows((size + kBlock - 1) / kBlock, kBlock, [=](Index first, Index last) {
    T exponential[kBlock], tail[kBlock];
    for (Index begin = first * kBlock; begin < std::min(size, last * kBlock); begin += kBlock) {
      const Index count = std::min(kBlock, size - begin);
      normal_tail(x + begin, count, exponential, tail);
      for (Index i = 0; i < count; ++i) {
        const T u = x[begin + i];
        y[begin + i] = (u > 0 ? u : T(0)) - std::abs(u) * tail[i];
      }
    }
  });
}

template <class T>
void gelu_backward(const T* x, const T* dy, Index size, T* dx, bool accumulate) {
  constexpr T inverse_root_2_pi = T(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  parallel_rows((size + kBlock - 1) / kBlock, kBlock, [=](Index first, Index last) {
    T exponential[kBlock], tail[kBlock];
    for (Index begin = first * kBlock; begin < std::min(size, last * kBlock); begin += kBlock) {
      const Index count = std::min(kBlock, size - begin);
      normal_tail(x + begin, count, exponential, tail);
      for (Index i = 0; i < count; ++i) {
        const T u = x[begin + i];
        const T phi = inverse_root_2_pi * exponential[i];
        const T value = dy[begin + i] * ((u > 0 ? 1 - tail[i] : tail[i]) + u * phi);
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
    pass_gradient(into, 0, dy);
    pass_gradient(into, 1, dy);
  });
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  check_alike("subtract", a, b);
  Tensor y = empty_like(a);
  visit_real("subtract", a.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(), [a = a.data<T>(), b = b.data<T>()](Index i) { return a[i] - b[i]; });
  });
  return record("subtract", {&a, &b}, y, [](const Tensor& dy, Gradients& into) {
    visit_real("subtract", dy.dtype(),
               [&]<class T>() { add_gradient<T>(into, 1, [dy = dy.data<T>()](Index i) { return -dy[i]; }); });
    pass_gradient(into, 0, dy);
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
  visit_real("add_bias", x.dtype(),
             [&]<class T>() { add_bias_forward(x.data<T>(), bias.data<T>(), x.rows(), x.columns(), y.data<T>()); });
  return record("add_bias", {&x, &bias}, y, [](const Tensor& dy, Gradients& into) {
    if (into.wants(1)) {
      const Gradients::Target dbias = into.target(1);
      column_sums(dy, 1, dbias.gradient, dbias.accumulate);
    }
    pass_gradient(into, 0, dy);
  });
}

Tensor scale(const Tensor& x, double factor) {
  Tensor y = empty_like(x);
  visit_real("scale", x.dtype(), [&]<class T>() {
    for_each_element(y.size(), y.data<T>(),
                     [x = x.data<T>(), f = static_cast<T>(factor)](Index i) { return f * x[i]; });
  });
  return record("scale", {&x}, y, [factor](const Tensor& dy, Gradients& into) {
    visit_real("scale", dy.dtype(), [&]<class T>() {
      add_gradient<T>(
          into, 0, [dy = dy.data<T>(), f = static_cast<T>(factor)](Index i) { return f * dy[i]; }, dy);
    });
  });
}

// NaN passes: a comparison with it is false. Saved is y, which the next op needs anyway; y > 0 exactly where x > 0.
Tensor relu(Tensor x) {
  if (watched()) Tape::current()->observer()->kink(x);
  const auto forward = [](const Tensor& input) {
    Tensor y = empty_over(input);
    visit_real("relu", input.dtype(), [&]<class T>() {
      for_each_element(y.size(), y.data<T>(), [x = input.data<T>()](Index i) { return x[i] < 0 ? T(0) : x[i]; });
    });
    return y;
  };
  const Tensor result = forward(x);
  const Kept kept = kept_output(x, result, forward);
  const auto backward = [kept](const Tensor& dy, Gradients& into) {
    const Tensor y = kept.get();
    visit_real("relu", dy.dtype(), [&]<class T>() {
      const auto value = [dy = dy.data<T>(), y = y.data<T>()](Index i) {
        const T d = dy[i];  // read in any case, so that the choice is no branch
        return y[i] > 0 ? d : T(0);
      };
      add_gradient<T>(into, 0, value, dy);
    });
  };
  return record("relu", {&x}, result, backward, kept);
}

Tensor gelu(const Tensor& x) {
  const auto forward = [](const Tensor& input) {
    Tensor y = empty_over(input);
    visit_real("gelu", y.dtype(), [&]<class T>() { gelu_forward(input.data<T>(), y.size(), y.data<T>()); });
    return y;
  };
  const auto backward = [kept = Kept(x)](const Tensor& dy, Gradients& into) {
    if (!into.wants(0)) return;
    const Gradients::Target dx = into.target(0, dy);
    const Tensor input = kept.get();
    visit_real("gelu", dy.dtype(), [&]<class T>() {
      gelu_backward(input.data<T>(), dy.data<T>(), dy.size(), dx.gradient.data<T>(), dx.accumulate);
    });
  };
  const Tensor y = forward(x.detach());  // x is kept: a second handle, that y may not come to lie over it
  return record("gelu", {&x}, y, backward, kept_output(x, y, forward));
}

}  // namespace normlab
