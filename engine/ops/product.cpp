// Products. With C = A B and dC the gradient of C:
//
//   dA = dC B^T      dB = A^T dC
//
// and the same with A, B or both transposed. A linear map is y = x W^T + b:
//
//   dx = dy W        dW = dy^T x        db = sum over the rows of dy
//
// Gradients are written straight into their place where nothing stands there yet. Sums over tokens (dW) are cut by
// outputs, never by tokens: see gemm.h.
#include "product.h"

#include <algorithm>

#include "../gemm.h"
#include "../parallel.h"
#include "../tape.h"
#include "column_sums.h"

namespace normlab {
namespace {

// A matrix operand of a product: a tensor seen as rows x columns, transposed or not.
template <class T>
Operand<T> operand(const Tensor& x, bool transposed = false) {
  return {x.data<T>(), x.columns(), transposed};
}

// Adds op(a)[m, k] op(b)[k, n] to the gradient of input `input`, if anyone wants it.
template <class T>
void add_product(Gradients& into, Index input, Index m, Index n, Index k, Operand<T> a, Operand<T> b) {
  if (!into.wants(input)) return;
  const Gradients::Target target = into.target(input);
  gemm<T>(m, n, k, 1, a, b, target.gradient.data<T>(), n, target.accumulate);
}

// y starts as the bias in every row, and the product is added to it.
template <class T>
void linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y) {
  const Index rows = x.rows(), in = x.columns(), out = weight.rows();
  if (bias.defined()) {
    const T* b = bias.data<T>();
    T* first = y.data<T>();
    parallel_rows(rows, out, [=](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) std::copy(b, b + out, first + i * out);
    });
  }
  gemm<T>(rows, out, in, 1, operand<T>(x), operand<T>(weight, true), y.data<T>(), out, bias.defined());
}

template <class T>
void linear_backward(const Kept& x, const Tensor& weight, const Tensor& dy, Gradients& into) {
  const Index rows = dy.rows(), in = weight.columns(), out = weight.rows();
  add_product(into, 0, rows, in, out, operand<T>(dy), operand<T>(weight));  // dx = dy W
  if (into.wants(1)) {
    add_product(into, 1, out, in, rows, operand<T>(dy, true), operand<T>(x.get()));  // dW = dy^T x
  }
  if (into.wants(2)) {
    const Gradients::Target db = into.target(2);
    column_sums(dy, 1, db.gradient, db.accumulate);
  }
}

template <class T>
void matmul_backward(const Tensor& a, const Tensor& b, bool ta, bool tb, const Tensor& dc, Gradients& into) {
  const Index m = dc.rows(), n = dc.columns(), k = ta ? a.rows() : a.columns();
  if (ta) {  // a is [k, m]: the transpose of dA
    add_product(into, 0, k, m, n, operand<T>(b, tb), operand<T>(dc, true));
  } else {
    add_product(into, 0, m, k, n, operand<T>(dc), operand<T>(b, !tb));
  }
  if (tb) {  // b is [n, k]: the transpose of dB
    add_product(into, 1, n, k, m, operand<T>(dc, true), operand<T>(a, ta));
  } else {
    add_product(into, 1, k, n, m, operand<T>(a, !ta), operand<T>(dc));
  }
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, bool recompute) {
  check(weight.shape().rank() == 2, "linear: weight must have rank 2 [out, in], got ", weight.shape());
  const Index out = weight.shape()[0], in = weight.shape()[1];
  check(x.shape().rank() >= 1 && x.columns() == in, "linear: the last axis of x must be the last of weight, got x ",
        x.shape(), " and weight ", weight.shape());
  check(x.dtype() == weight.dtype(), "linear: x and weight must have one dtype, got ", x.dtype(), " and ",
        weight.dtype());
  if (bias.defined()) {
    check(bias.shape() == Shape{out} && bias.dtype() == x.dtype(), "linear: bias must be ", x.dtype(), " [", out,
          "] for weight ", weight.shape(), ", got ", bias.dtype(), " ", bias.shape());
  }
  const auto forward = [out, weight = weight.detach(), bias = bias.detach()](const Tensor& input) {
    std::vector<Index> extents = input.shape().extents();
    extents.back() = out;
    Tensor y = Tensor::empty(Shape(std::move(extents)), input.dtype());
    visit_real("linear", input.dtype(), [&]<class T>() { linear_forward<T>(input, weight, bias, y); });
    return y;
  };
  const auto backward = [x = Kept(x), weight](const Tensor& dy, Gradients& into) {
    visit_real("linear", dy.dtype(), [&]<class T>() { linear_backward<T>(x, weight, dy, into); });
  };
  const Kept again = recompute ? Kept([x = Kept(x), forward] { return forward(x.get()); }) : Kept();
  return record("linear", {&x, &weight, &bias}, forward(x), backward, again);
}

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  check(a.shape().rank() == 2 && b.shape().rank() == 2, "matmul: operands must have rank 2, got ", a.shape(), " and ",
        b.shape());
  check(a.dtype() == b.dtype(), "matmul: operands must have one dtype, got ", a.dtype(), " and ", b.dtype());
  const Index m = a.shape()[transpose_a ? 1 : 0], k = a.shape()[transpose_a ? 0 : 1];
  const Index n = b.shape()[transpose_b ? 0 : 1];
  check(b.shape()[transpose_b ? 1 : 0] == k, "matmul: the inner extents must be equal, got ", a.shape(),
        transpose_a ? " transposed" : "", " times ", b.shape(), transpose_b ? " transposed" : "");
  Tensor c = Tensor::empty({m, n}, a.dtype());
  visit_real("matmul", a.dtype(), [&]<class T>() {
    gemm<T>(m, n, k, 1, operand<T>(a, transpose_a), operand<T>(b, transpose_b), c.data<T>(), n, false);
  });
  return record("matmul", {&a, &b}, c, [a, b, transpose_a, transpose_b](const Tensor& dc, Gradients& into) {
    visit_real("matmul", dc.dtype(), [&]<class T>() { matmul_backward<T>(a, b, transpose_a, transpose_b, dc, into); });
  });
}

}  // namespace normlab
