// Softmax and log-softmax. Both save their output: it is what their derivative is made of, and it is kept alive anyway.
//
//   y = exp(x - max) / sum exp(x - max)            dx = y * (dy - sum(y * dy))
//   y = x - max - log sum exp(x - max)             dx = dy - exp(y) * sum(dy)
#include "softmax.h"

#include <cmath>

#include "../parallel.h"
#include "../tape.h"
#include "exponential.h"
#include "row_map.inl"

namespace normlab {
namespace {

template <class T>
void softmax_forward(const T* x, Index rows, Index columns, T* y) {
  parallel_rows(rows, columns, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto x_row = row_of(x, i, columns);
      auto y_row = row_of(y, i, columns);
      exponentials(x_row.data(), x_row.maxCoeff(), columns, y_row.data());
      y_row *= 1 / y_row.sum();
    }
  });
}

template <class T>
void softmax_backward(const T* y, const T* dy, Index rows, Index columns, T* dx, bool accumulate) {
  parallel_rows(rows, columns, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto y_row = row_of(y, i, columns);
      const auto dy_row = row_of(dy, i, columns);
      const T sum = (y_row * dy_row).sum();
      put(row_of(dx, i, columns), y_row * (dy_row - sum), accumulate);
    }
  });
}

template <class T>
void log_softmax_forward(const T* x, Index rows, Index columns, T* y) {
  parallel_rows(rows, columns, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto x_row = row_of(x, i, columns);
      const T max = x_row.maxCoeff();
      row_of(y, i, columns) = (x_row - max) - std::log(sum_of_exponentials(x_row, max));
    }
  });
}

template <class T>
void log_softmax_backward(const T* y, const T* dy, Index rows, Index columns, T* dx, bool accumulate) {
  parallel_rows(rows, columns, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const auto dy_row = row_of(dy, i, columns);
      const T sum = dy_row.sum();
      for_exponentials(y + i * columns, columns, T{0}, [&](Index first, Index count, const T* p) {
        put(row_of(dx + i * columns + first, 0, count), dy_row.segment(first, count) - row_of(p, 0, count) * sum,
            accumulate);
      });
    }
  });
}

}  // namespace

Tensor softmax(const Tensor& x) {
  check(x.columns() > 0, "softmax: the last axis must not be empty, got ", x.shape());
  Tensor y = empty_like(x);
  visit_real("softmax", x.dtype(),
             [&]<class T>() { softmax_forward(x.data<T>(), x.rows(), x.columns(), y.data<T>()); });
  return record("softmax", {&x}, y, [y = y.detach()](const Tensor& dy, Gradients& into) {
    const auto dx = into.target(0, dy);
    visit_real("softmax", y.dtype(), [&]<class T>() {
      softmax_backward(y.data<T>(), dy.data<T>(), y.rows(), y.columns(), dx.gradient.data<T>(), dx.accumulate);
    });
  });
}

Tensor log_softmax(const Tensor& x) {
  check(x.columns() > 0, "log_softmax: the last axis must not be empty, got ", x.shape());
  Tensor y = empty_like(x);
  visit_real("log_softmax", x.dtype(),
             [&]<class T>() { log_softmax_forward(x.data<T>(), x.rows(), x.columns(), y.data<T>()); });
  return record("log_softmax", {&x}, y, [y = y.detach()](const Tensor& dy, Gradients& into) {
    const auto dx = into.target(0, dy);
    visit_real("log_softmax", y.dtype(), [&]<class T>() {
      log_softmax_backward(y.data<T>(), dy.data<T>(), y.rows(), y.columns(), dx.gradient.data<T>(), dx.accumulate);
    });
  });
}

}  // namespace normlab
