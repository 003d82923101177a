// Columns: see the header. Every pass is a loop over fixed pieces of the rows, within a piece over blocks, and within a
// block over runs of four rows, so that what belongs to a feature is loaded once for four of its numbers.
#include "columns.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../parallel.h"

namespace normlab {
namespace {

// So few terms lose nothing when they are added up in float; then a block's sums go to double.
constexpr Index kBlockRows = 16;

// Calls body(piece, begin, end) for each piece of the ghost batch's rows.
template <class Body>
void for_pieces(const Columns& at, const Pieces& pieces, Body&& body) {
  const bool share = pieces.rows * at.x.columns() >= kWorthSharing;
  parallel(
      pieces.count,
      [&](Index piece) { body(piece, at.ghost.begin + pieces.begin(piece), at.ghost.begin + pieces.end(piece)); },
      share);
}

Pieces pieces_of(const Columns& at) { return reduction_pieces(at.ghost.end - at.ghost.begin, at.x.columns()); }

// Calls body(row, count, counted) for runs of `count` rows, four or one, that together are [begin, end); in a run all
// rows count or none does. The count is a compile-time number.
template <class Body>
void for_runs(const Rows& rows, Index begin, Index end, Body&& body) {
  const auto all_count = [&](Index i) {
    return rows.all_count() || (rows.counts(i) && rows.counts(i + 1) && rows.counts(i + 2) && rows.counts(i + 3));
  };
  for (Index i = begin; i < end;) {
    if (i + 4 <= end && all_count(i)) {
      body(i, std::integral_constant<int, 4>(), true);
      i += 4;
    } else {
      body(i, std::integral_constant<int, 1>(), rows.counts(i));
      ++i;
    }
  }
}

// One number for each feature in the matrix's own type; zeros where there are none.
template <class T>
std::vector<T> row_from(const double* values, Index features) {
  std::vector<T> row(static_cast<std::size_t>(features), T(0));
  for (std::size_t j = 0; values && j < row.size(); ++j) row[j] = static_cast<T>(values[j]);
  return row;
}

// n = (x - high - low) * rate. In f32 the center is kept as a float and what is left of it: where the mean is far
// larger than the deviation, x - high is exact, and the rest is not lost.
template <class T>
struct NormalizerRows {
  std::vector<T> high, low, rate;
  NormalizerRows(const Normalizer& normalizer, Index features)
      : high(row_from<T>(normalizer.center, features)),
        low(high.size(), T(0)),
        rate(row_from<T>(normalizer.rate, features)) {
    for (std::size_t j = 0; normalizer.center && j < low.size(); ++j) {
      low[j] = static_cast<T>(normalizer.center[j] - static_cast<double>(high[j]));
    }
  }
};

// sum[j] += the sum over rows of x - origin, squares[j] += that of (x - origin)^2.
template <int kRows, class T>
void add_deviations(const T* x, const T* origin, Index features, T* __restrict sum, T* __restrict squares) {
  for (Index j = 0; j < features; ++j) {
    T s = 0, q = 0;
    for (int k = 0; k < kRows; ++k) {
      const T c = x[k * features + j] - origin[j];
      s += c;
      q += c * c;
    }
    sum[j] += s;
    squares[j] += q;
  }
}

template <int kRows, class T>
void add_squares(const T* x, Index features, T* __restrict squares) {
  for (Index j = 0; j < features; ++j) {
    T q = 0;
    for (int k = 0; k < kRows; ++k) q += x[k * features + j] * x[k * features + j];
    squares[j] += q;
  }
}

// y = (x - high - low) * scale + shift
template <int kRows, class T>
void normalize_rows(const T* x, const NormalizerRows<T>& by, const T* scale, const T* shift, Index features,
                    T* __restrict y) {
  const T *high = by.high.data(), *low = by.low.data();
  for (Index j = 0; j < features; ++j) {
    for (int k = 0; k < kRows; ++k) {
      const Index at = k * features + j;
      y[at] = (x[at] - high[j] - low[j]) * scale[j] + shift[j];
    }
  }
}

enum class Write { nothing, set, add };

// dx = a * dy + b * n + c, and the sums of dy and dy * n.
template <int kRows, Write kWrite, class T>
void gradient_rows(const T* x, const T* dy, const NormalizerRows<T>& by, const T* a, const T* b, const T* c,
                   Index features, T* __restrict dx, T* __restrict sum_dy, T* __restrict sum_dyn) {
  const T *high = by.high.data(), *low = by.low.data(), *rate = by.rate.data();
  for (Index j = 0; j < features; ++j) {
    T s = 0, sn = 0;
    for (int k = 0; k < kRows; ++k) {
      const Index at = k * features + j;
      const T n = (x[at] - high[j] - low[j]) * rate[j];
      s += dy[at];
      sn += dy[at] * n;
      if constexpr (kWrite == Write::set) dx[at] = a[j] * dy[at] + b[j] * n + c[j];
      if constexpr (kWrite == Write::add) dx[at] += a[j] * dy[at] + b[j] * n + c[j];
    }
    sum_dy[j] += s;
    sum_dyn[j] += sn;
  }
}

// Mean and sum of squares about it, of `count` rows.
struct Spread {
  double count = 0;
  std::vector<double> mean, squares;
  explicit Spread(Index features)
      : mean(static_cast<std::size_t>(features), 0.0), squares(static_cast<std::size_t>(features), 0.0) {}

  // Joins `other_count` rows whose feature j has mean_of(j) and squares_of(j) (Chan, Golub & LeVeque 1979).
  template <class Mean, class Squares>
  void join(double other_count, Mean&& mean_of, Squares&& squares_of) {
    if (other_count == 0) return;
    const double share = other_count / (count + other_count), weight = count * share;
    for (std::size_t j = 0; j < mean.size(); ++j) {
      const double distance = mean_of(j) - mean[j];
      mean[j] += distance * share;
      squares[j] += squares_of(j) + distance * distance * weight;
    }
    count += other_count;
  }
};

// Joins the counted rows of [begin, end) to `spread`, block by block. In a block they are taken from its first counted
// row, so that sums do not lose digits to a large mean; that this row may lie far out costs no more than rounding,
// since it then makes the variance large itself.
template <class T>
void join_rows(const Columns& at, Index begin, Index end, Spread& spread) {
  const Index features = at.x.columns();
  const T* x = at.x.data<T>();
  std::vector<T> sum(spread.mean.size()), squares(spread.mean.size());
  for (Index block = begin; block < end; block += kBlockRows) {
    const Index stop = std::min(end, block + kBlockRows);
    Index first = block;
    while (first < stop && !at.rows.counts(first)) ++first;
    if (first == stop) continue;
    const T* origin = x + first * features;
    std::fill(sum.begin(), sum.end(), T(0));
    std::fill(squares.begin(), squares.end(), T(0));
    double count = 0;
    for_runs(at.rows, first, stop, [&](Index i, auto rows, bool counted) {
      if (!counted) return;
      add_deviations<rows()>(x + i * features, origin, features, sum.data(), squares.data());
      count += rows();
    });
    const auto double_of = [](T value) { return static_cast<double>(value); };
    spread.join(
        count, [&](std::size_t j) { return double_of(origin[j]) + double_of(sum[j]) / count; },
        [&](std::size_t j) {
          return std::max(0.0, double_of(squares[j]) - double_of(sum[j]) * double_of(sum[j]) / count);
        });
  }
}

// double_sums[j] += sums[j], and sums[j] = 0.
template <class T>
void flush(std::vector<T>& sums, double* double_sums) {
  for (std::size_t j = 0; j < sums.size(); ++j) {
    double_sums[j] += static_cast<double>(sums[j]);
    sums[j] = 0;
  }
}

// total[k] = the pieces' sums[piece, k] in order.
void join_pieces(const Tensor& sums, double* total, Index count) {
  std::fill(total, total + count, 0.0);
  for (Index piece = 0; piece < sums.rows(); ++piece) {
    const double* part = sums.data<double>() + piece * sums.columns();
    for (Index k = 0; k < count; ++k) total[k] += part[k];
  }
}

void check_counted(const char* op, const Columns& at) {
  check(at.ghost.counted > 0, op, ": batch statistics need at least one row that counts, got none among ",
        at.ghost.end - at.ghost.begin, " rows");
}

// One trip over x: adds up squares, or writes y, or both.
template <class T>
void forward_pass(const Columns& at, const NormalizerRows<T>& by, const T* scale, const T* shift, Tensor* y,
                  Tensor* parts) {
  const Index features = at.x.columns();
  const T* x = at.x.data<T>();
  for_pieces(at, pieces_of(at), [&](Index piece, Index begin, Index end) {
    std::vector<T> squares(by.rate.size(), T(0));
    for (Index block = begin; block < end; block += kBlockRows) {
      for_runs(at.rows, block, std::min(end, block + kBlockRows), [&](Index i, auto rows, bool counted) {
        const T* row = x + i * features;
        if (parts && counted) add_squares<rows()>(row, features, squares.data());
        if (y) normalize_rows<rows()>(row, by, scale, shift, features, y->data<T>() + i * features);
      });
      if (parts) flush(squares, parts->data<double>() + piece * features);
    }
  });
}

template <Write kWrite, class T>
void gradient_pass(const Columns& at, const Tensor& dy, const Normalizer& normalizer, const GradientFactors& factors,
                   Tensor* dx, Tensor& parts) {
  const Index features = at.x.columns();
  const NormalizerRows<T> by(normalizer, features);
  const auto a = row_from<T>(factors.a, features), b = row_from<T>(factors.b, features),
             c = row_from<T>(factors.c, features), none = row_from<T>(nullptr, features);
  for_pieces(at, pieces_of(at), [&](Index piece, Index begin, Index end) {
    std::vector<T> sum_dy = none, sum_dyn = none;
    double* part = parts.data<double>() + piece * 2 * features;
    for (Index block = begin; block < end; block += kBlockRows) {
      for_runs(at.rows, block, std::min(end, block + kBlockRows), [&](Index i, auto rows, bool counted) {
        const Index first = i * features;
        gradient_rows<rows(), kWrite>(at.x.data<T>() + first, dy.data<T>() + first, by, a.data(),
                                      (counted ? b : none).data(), (counted ? c : none).data(), features,
                                      dx ? dx->data<T>() + first : nullptr, sum_dy.data(), sum_dyn.data());
      });
      flush(sum_dy, part);
      flush(sum_dyn, part + features);
    }
  });
}

}  // namespace

void measure_columns(const char* op, const Columns& at, double* mean, double* variance) {
  check_counted(op, at);
  const Index features = at.x.columns();
  const Pieces pieces = pieces_of(at);
  std::vector<Spread> spreads(static_cast<std::size_t>(pieces.count), Spread(features));
  visit_real(op, at.x.dtype(), [&]<class T>() {
    for_pieces(at, pieces, [&](Index piece, Index begin, Index end) {
      join_rows<T>(at, begin, end, spreads[static_cast<std::size_t>(piece)]);
    });
  });
  Spread all(features);
  for (const Spread& spread : spreads) {
    all.join(
        spread.count, [&](std::size_t j) { return spread.mean[j]; }, [&](std::size_t j) { return spread.squares[j]; });
  }
  std::copy(all.mean.begin(), all.mean.end(), mean);
  for (std::size_t j = 0; j < all.squares.size(); ++j) variance[j] = all.squares[j] / all.count;
}

void measure_columns(const char* op, const Columns& at, double* second_moment) {
  normalize_columns(op, at, {}, Tensor(), Tensor(), nullptr, second_moment);
}

void normalize_columns(const char* op, const Columns& at, const Normalizer& normalizer, const Tensor& weight,
                       const Tensor& bias, Tensor* y, double* second_moment) {
  const Index features = at.x.columns();
  Tensor parts;
  if (second_moment) {
    check_counted(op, at);
    parts = Tensor::zeros({pieces_of(at).count, features}, Dtype::f64);
  }
  visit_real(op, at.x.dtype(), [&]<class T>() {
    const NormalizerRows<T> by(normalizer, features);
    std::vector<T> scale = by.rate;
    for (std::size_t j = 0; y && j < scale.size(); ++j) scale[j] *= weight.data<T>()[j];
    forward_pass<T>(at, by, scale.data(), y ? bias.data<T>() : nullptr, y, second_moment ? &parts : nullptr);
  });
  if (!second_moment) return;
  join_pieces(parts, second_moment, features);
  for (Index j = 0; j < features; ++j) second_moment[j] /= static_cast<double>(at.ghost.counted);
}

void gradient_columns(const char* op, const Columns& at, const Tensor& dy, const Normalizer& normalizer,
                      const GradientFactors& factors, Tensor* dx, bool accumulate, const GradientSums& sums) {
  const Index features = at.x.columns();
  Tensor parts = Tensor::zeros({pieces_of(at).count, 2 * features}, Dtype::f64);
  visit_real(op, at.x.dtype(), [&]<class T>() {
    if (!dx) {
      gradient_pass<Write::nothing, T>(at, dy, normalizer, factors, dx, parts);
    } else if (accumulate) {
      gradient_pass<Write::add, T>(at, dy, normalizer, factors, dx, parts);
    } else {
      gradient_pass<Write::set, T>(at, dy, normalizer, factors, dx, parts);
    }
  });
  if (!sums.dy) return;
  Tensor total = Tensor::empty({2 * features}, Dtype::f64);
  join_pieces(parts, total.data<double>(), 2 * features);
  std::copy_n(total.data<double>(), features, sums.dy);
  std::copy_n(total.data<double>() + features, features, sums.dyn);
}

void rate_of(const char* op, const double* variance, Index features, double epsilon, double* rate) {
  for (Index j = 0; j < features; ++j) {
    check(!(variance[j] + epsilon <= 0), op, ": needs a positive epsilon where a feature is constant, feature ", j,
          " has variance ", variance[j], " and epsilon is ", epsilon);
    rate[j] = 1 / std::sqrt(variance[j] + epsilon);
  }
}

double* row_at(Tensor& x, std::size_t row) {
  return x.defined() ? x.data<double>() + static_cast<Index>(row) * x.columns() : nullptr;
}

void check_columns(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows) {
  const Index features = x.columns();
  check(features > 0, op, ": the last axis must not be empty, got ", x.shape());
  check(rows.tokens() == x.rows(), op, ": x must hold the tokens of its rows, got ", x.shape(), " for ", rows.tokens(),
        " tokens");
  const auto check_parameter = [&](const char* name, const Tensor& parameter) {
    check(parameter.shape() == Shape{features} && parameter.dtype() == x.dtype(), op, ": ", name, " must be ",
          x.dtype(), " [", features, "] for x of shape ", x.shape(), ", got ", parameter.dtype(), " ",
          parameter.shape());
  };
  check_parameter("weight", weight);
  check_parameter("bias", bias);
}

}  // namespace normlab
