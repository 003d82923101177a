// Column sums: see column_sums.h.
#include "column_sums.h"

#include <algorithm>

#include "../parallel.h"

namespace normlab {
namespace {

// partial[piece, n] = the sums over the rows of each piece.
template <class T>
void sum_pieces(const T* x, Index n, Pieces pieces, double* partial) {
  const auto sum_piece = [=](Index piece) {
    double* sums = partial + piece * n;
    std::fill(sums, sums + n, 0.0);
    for (Index i = pieces.begin(piece); i < pieces.end(piece); ++i) {
      const T* row = x + i * n;
      for (Index j = 0; j < n; ++j) sums[j] += static_cast<double>(row[j]);
    }
  };
  parallel(pieces.count, sum_piece, pieces.rows * n >= kWorthSharing);
}

template <class T>
void join_pieces(const double* partial, Index n, Pieces pieces, double factor, T* sums, bool accumulate) {
  parallel_rows(n, pieces.count, [=](Index begin, Index end) {
    for (Index j = begin; j < end; ++j) {
      double sum = 0;
      for (Index piece = 0; piece < pieces.count; ++piece) sum += partial[piece * n + j];
      const T value = static_cast<T>(factor * sum);
      sums[j] = accumulate ? sums[j] + value : value;
    }
  });
}

}  // namespace

void column_sums(const Tensor& x, double factor, Tensor& sums, bool accumulate) {
  const Index n = x.columns();
  const Pieces pieces = reduction_pieces(x.rows(), n);
  Tensor partial = Tensor::empty({pieces.count, n}, Dtype::f64);
  visit_real("column_sums", x.dtype(), [&]<class T>() {
    sum_pieces(x.data<T>(), n, pieces, partial.data<double>());
    join_pieces(partial.data<double>(), n, pieces, factor, sums.data<T>(), accumulate);
  });
}

void add_sums(Gradients& into, Index input, const double* sums) {
  if (!into.wants(input)) return;
  Tensor& gradient = into[input];
  visit_real("add_sums", gradient.dtype(), [&]<class T>() {
    T* values = gradient.data<T>();
    for (Index j = 0; j < gradient.size(); ++j) values[j] += static_cast<T>(sums[j]);
  });
}

}  // namespace normlab
