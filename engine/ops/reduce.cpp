// Reductions. With dy the gradient of the result (one number, or one for each column j):
//
//   sum              y = sum_i x_i                 dx_i = dy
//   mean             y = sum_i x_i / size          dx_i = dy / size
//   sum_rows         y_j = sum_i x_ij              dx_ij = dy_j
//   mean_rows        y_j = sum_i x_ij / rows       dx_ij = dy_j / rows
//   sum_of_squares   y = sum_i x_i^2               dx_i = 2 x_i dy
#include "reduce.h"

#include <array>

#include "../parallel.h"
#include "../tape.h"
#include "column_sums.h"
#include "lookup.h"
#include "pointwise.h"

namespace normlab {
namespace {

// The sum of value(i) for i in [0, size), in double: eight interleaved sums for the vector unit within each piece, then
// the pieces in order.
template <class Value>
double sum_of(Index size, Value value) {
  constexpr Index kLanes = 8;
  const Pieces pieces = reduction_pieces(size, 1);
  std::array<double, 32> partial{};
  double* sums = partial.data();
  const auto sum_piece = [=](Index piece) {
    const Index end = pieces.end(piece);
    double lanes[kLanes] = {};
    Index i = pieces.begin(piece);
    for (; i + kLanes <= end; i += kLanes) {
      for (Index lane = 0; lane < kLanes; ++lane) lanes[lane] += value(i + lane);
    }
    double sum = 0;
    for (; i < end; ++i) sum += value(i);
    for (const double lane : lanes) sum += lane;
    sums[piece] = sum;
  };
  parallel(pieces.count, sum_piece, size >= kWorthSharing);
  double sum = 0;
  for (Index piece = 0; piece < pieces.count; ++piece) sum += sums[piece];
  return sum;
}

// factor * sum of all elements.
Tensor scaled_sum(const char* op, const Tensor& x, double factor) {
  const double total = visit_real(op, x.dtype(), [&]<class T>() {
    return sum_of(x.size(), [x = x.data<T>()](Index i) { return static_cast<double>(x[i]); });
  });
  return record(op, {&x}, Tensor::scalar(factor * total, x.dtype()), [op, factor](const Tensor& dy, Gradients& into) {
    visit_real(op, dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0, [dx = static_cast<T>(factor * dy.item())](Index) { return dx; });
    });
  });
}

// dx[i, j] += factor * dy[j], or written for the first time.
template <class T>
void spread_over_rows(const T* dy, Index rows, Index n, T factor, T* dx, bool accumulate) {
  parallel_rows(rows, n, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      for (Index j = 0; j < n; ++j) dx[i * n + j] = (accumulate ? dx[i * n + j] : T(0)) + factor * dy[j];
    }
  });
}

// factor * sum over rows.
Tensor scaled_sum_rows(const char* op, const Tensor& x, double factor) {
  Tensor y = Tensor::empty({x.columns()}, x.dtype());
  column_sums(x, factor, y, false);
  return record(op, {&x}, y, [op, factor, rows = x.rows()](const Tensor& dy, Gradients& into) {
    if (!into.wants(0)) return;
    const Gradients::Target dx = into.target(0);
    visit_real(op, dy.dtype(), [&]<class T>() {
      spread_over_rows(dy.data<T>(), rows, dy.size(), static_cast<T>(factor), dx.gradient.data<T>(), dx.accumulate);
    });
  });
}

}  // namespace

Tensor sum(const Tensor& x) { return scaled_sum("sum", x, 1); }

Tensor mean(const Tensor& x) {
  check(x.size() > 0, "mean: x must have elements, got shape ", x.shape());
  return scaled_sum("mean", x, 1 / static_cast<double>(x.size()));
}

Tensor sum_rows(const Tensor& x) { return scaled_sum_rows("sum_rows", x, 1); }

Tensor mean_rows(const Tensor& x) {
  check(x.rows() > 0, "mean_rows: x must have rows, got shape ", x.shape());
  return scaled_sum_rows("mean_rows", x, 1 / static_cast<double>(x.rows()));
}

Tensor sum_of_squares(const Tensor& x) {
  const double total = visit_real("sum_of_squares", x.dtype(), [&]<class T>() {
    return sum_of(x.size(), [x = x.data<T>()](Index i) {
      const double value = static_cast<double>(x[i]);
      return value * value;
    });
  });
  return record("sum_of_squares", {&x}, Tensor::scalar(total, x.dtype()), [x](const Tensor& dy, Gradients& into) {
    visit_real("sum_of_squares", dy.dtype(), [&]<class T>() {
      add_gradient<T>(into, 0,
                      [x = x.data<T>(), twice = static_cast<T>(2 * dy.item())](Index i) { return twice * x[i]; });
    });
  });
}

Tensor gather_rows(const Tensor& x, const Tensor& rows) { return lookup("gather_rows", x, rows, 1); }

}  // namespace normlab
