// Ops on whole sequences. Sequence s has n_s rows; its first one in y of prepend_row is f_s.
//
//   prepend_row         y_f_s = row, then x's rows       drow = sum_s dy_f_s, dx the other rows of dy
//   mean_of_sequences   y_s = sum_{i in s} x_i / n_s     dx_i = dy_s / n_s for i in s
//
// Sums are in double, in the order of rows; a sequence belongs to one thread.
#include "sequences.h"

#include <algorithm>
#include <vector>

#include "../parallel.h"
#include "../tape.h"
#include "row_map.inl"

namespace normlab {
namespace {

void check_rows(const char* op, const Tensor& x, const Rows& rows) {
  check(x.shape().rank() == 2 && x.rows() == rows.tokens(), op, ": x must be a matrix of the ", rows.tokens(),
        " rows of Rows, got ", x.shape());
  check(rows.all_count(), op, ": every row must count, got ", rows.tokens() - rows.counted(), " that do not");
}

// Calls body(sequence) for each, on several threads when their `elements` are worth it.
template <class Body>
void for_each_sequence(const Rows& rows, Index elements, Body body) {
  parallel(rows.sequences(), body, elements >= kWorthSharing);
}

// Sequence s of x begins at row begin(s), that of y at begin(s) + s.
template <class T>
void prepend_forward(const T* x, const T* row, const Rows& rows, Index n, T* y) {
  for_each_sequence(rows, (rows.tokens() + rows.sequences()) * n, [&, x, row, n, y](Index s) {
    T* out = std::copy_n(row, n, y + (rows.begin(s) + s) * n);
    std::copy_n(x + rows.begin(s) * n, rows.length(s) * n, out);
  });
}

template <class T>
void prepend_backward_x(const T* dy, const Rows& rows, Index n, T* dx, bool accumulate) {
  for_each_sequence(rows, rows.tokens() * n, [&, dy, n, dx, accumulate](Index s) {
    for (Index i = rows.begin(s); i < rows.end(s); ++i) put(row_of(dx, i, n), row_of(dy, i + s + 1, n), accumulate);
  });
}

template <class T>
void prepend_backward_row(const T* dy, const Rows& rows, Index n, T* drow) {
  std::vector<double> sums(static_cast<std::size_t>(n));
  for (Index s = 0; s < rows.sequences(); ++s) {
    const T* first = dy + (rows.begin(s) + s) * n;
    for (Index j = 0; j < n; ++j) sums[static_cast<std::size_t>(j)] += double{first[j]};
  }
  for (Index j = 0; j < n; ++j) drow[j] += static_cast<T>(sums[static_cast<std::size_t>(j)]);
}

template <class T>
void mean_forward(const T* x, const Rows& rows, Index n, T* y) {
  for_each_sequence(rows, rows.tokens() * n, [&, x, n, y](Index s) {
    std::vector<double> sums(static_cast<std::size_t>(n));
    for (Index i = rows.begin(s); i < rows.end(s); ++i) {
      for (Index j = 0; j < n; ++j) sums[static_cast<std::size_t>(j)] += double{x[i * n + j]};
    }
    const double length = static_cast<double>(rows.length(s));
    for (Index j = 0; j < n; ++j) y[s * n + j] = static_cast<T>(sums[static_cast<std::size_t>(j)] / length);
  });
}

template <class T>
void mean_backward(const T* dy, const Rows& rows, Index n, T* dx, bool accumulate) {
  for_each_sequence(rows, rows.tokens() * n, [&, dy, n, dx, accumulate](Index s) {
    const T length = static_cast<T>(rows.length(s));
    for (Index i = rows.begin(s); i < rows.end(s); ++i) put(row_of(dx, i, n), row_of(dy, s, n) / length, accumulate);
  });
}

}  // namespace

Rows one_longer(const Rows& rows) {
  check(rows.all_count(), "one_longer: every row must count, got ", rows.tokens() - rows.counted(), " that do not");
  std::vector<Index> offsets = rows.offsets();
  for (std::size_t s = 0; s < offsets.size(); ++s) offsets[s] += static_cast<Index>(s);
  return Rows(std::move(offsets));
}

Tensor prepend_row(const Tensor& x, const Tensor& row, const Rows& rows) {
  check_rows("prepend_row", x, rows);
  const Index n = x.columns();
  check(row.shape() == Shape{n} && row.dtype() == x.dtype(), "prepend_row: row must be ", x.dtype(), " [", n,
        "] for x of shape ", x.shape(), ", got ", row.dtype(), " ", row.shape());
  Tensor y = Tensor::empty({rows.tokens() + rows.sequences(), n}, x.dtype());
  visit_real("prepend_row", x.dtype(),
             [&]<class T>() { prepend_forward(x.data<T>(), row.data<T>(), rows, n, y.data<T>()); });
  return record("prepend_row", {&x, &row}, y, [rows, n](const Tensor& dy, Gradients& into) {
    visit_real("prepend_row", dy.dtype(), [&]<class T>() {
      if (into.wants(0)) {
        const Gradients::Target dx = into.target(0);
        prepend_backward_x(dy.data<T>(), rows, n, dx.gradient.data<T>(), dx.accumulate);
      }
      if (into.wants(1)) prepend_backward_row(dy.data<T>(), rows, n, into[1].data<T>());
    });
  });
}

Tensor mean_of_sequences(const Tensor& x, const Rows& rows) {
  check_rows("mean_of_sequences", x, rows);
  for (Index s = 0; s < rows.sequences(); ++s) {
    check(rows.length(s) > 0, "mean_of_sequences: every sequence must have a row, got none in sequence ", s);
  }
  const Index n = x.columns();
  Tensor y = Tensor::empty({rows.sequences(), n}, x.dtype());
  visit_real("mean_of_sequences", x.dtype(), [&]<class T>() { mean_forward(x.data<T>(), rows, n, y.data<T>()); });
  return record("mean_of_sequences", {&x}, y, [rows, n](const Tensor& dy, Gradients& into) {
    if (!into.wants(0)) return;
    const Gradients::Target dx = into.target(0);
    visit_real("mean_of_sequences", dy.dtype(),
               [&]<class T>() { mean_backward(dy.data<T>(), rows, n, dx.gradient.data<T>(), dx.accumulate); });
  });
}

}  // namespace normlab
