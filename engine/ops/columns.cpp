// Columns: see the header. Every pass is a loop over fixed pieces of the rows, within a piece over blocks of rows.
#include "columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
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
  bool centered;
  std::vector<T> high, low, rate;
  NormalizerRows(const Normalizer& normalizer, Index features)
      : centered(normalizer.center != nullptr),
        high(row_from<T>(normalizer.center, features)),
        low(high.size(), T(0)),
        rate(row_from<T>(normalizer.rate, features)) {
    for (std::size_t j = 0; normalizer.center && j < low.size(); ++j) {
      low[j] = static_cast<T>(normalizer.center[j] - static_cast<double>(high[j]));
    }
  }
};

// sum += x - origin, squares += (x - origin)^2
template <class T>
void add_deviations(const T* x, const T* origin, Index features, T* __restrict sum, T* __restrict squares) {
  for (Index j = 0; j < features; ++j) {
    const T c = x[j] - origin[j];
    sum[j] += c;
    squares[j] += c * c;
  }
}

// y = (x - high - low) * scale + shift, and squares += x^2; each only if it is not null.
template <class T>
void forward_row(const T* x, const NormalizerRows<T>& by, const T* scale, const T* shift, Index features,
                 T* __restrict y, T* __restrict squares) {
  const T *high = by.high.data(), *low = by.low.data();
  if (squares) {
    for (Index j = 0; j < features; ++j) squares[j] += x[j] * x[j];
  }
  if (y && by.centered) {
    for (Index j = 0; j < features; ++j) y[j] = (x[j] - high[j] - low[j]) * scale[j] + shift[j];
  } else if (y) {
    for (Index j = 0; j < features; ++j) y[j] = x[j] * scale[j] + shift[j];
  }
}

enum class Write { nothing, set, add };

// With c = x - high - low, which is n / rate: dx = a * dy + b * c + shift, or added to what is there, and sum_dy += dy,
// sum_dyc += dy * c where kSums. Without kCentered high, low and shift are zeros and are not read.
template <Write kWrite, bool kCentered, bool kSums, class T>
void gradient_row(const T* x, const T* dy, const T* high, const T* low, const T* a, const T* b, const T* shift,
                  Index features, T* __restrict dx, T* __restrict sum_dy, T* __restrict sum_dyc) {
  for (Index j = 0; j < features; ++j) {
    T c = x[j], value = 0;
    if constexpr (kCentered) c = x[j] - high[j] - low[j];
    if constexpr (kSums) {
      sum_dy[j] += dy[j];
      sum_dyc[j] += dy[j] * c;
    }
    if constexpr (kWrite != Write::nothing) value = a[j] * dy[j] + b[j] * c;
    if constexpr (kCentered) value += shift[j];
    if constexpr (kWrite == Write::set) dx[j] = value;
    if constexpr (kWrite == Write::add) dx[j] += value;
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
    for (Index i = first; i < stop; ++i) {
      if (!at.rows.counts(i)) continue;
      add_deviations(x + i * features, origin, features, sum.data(), squares.data());
      ++count;
    }
    const auto double_of = [](T value) { return static_cast<double>(value); };
    spread.join(
        count, [&](std::size_t j) { return double_of(origin[j]) + double_of(sum[j]) / count; },
        [&](std::size_t j) {
          const double left = double_of(squares[j]) - double_of(sum[j]) * double_of(sum[j]) / count;
          return left < 0 ? 0 : left;  // NaN passes
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
      for (Index i = block; i < std::min(end, block + kBlockRows); ++i) {
        forward_row(x + i * features, by, scale, shift, features, y ? y->data<T>() + i * features : nullptr,
                    parts && at.rows.counts(i) ? squares.data() : nullptr);
      }
      if (parts) flush(squares, parts->data<double>() + piece * features);
    }
  });
}

template <Write kWrite, bool kCentered, bool kSums, class T>
void gradient_pass(const Columns& at, const Tensor& dy, const NormalizerRows<T>& by, const GradientFactors& factors,
                   Tensor* dx, double* parts) {
  const Index features = at.x.columns();
  const auto a = row_from<T>(factors.a, features), shift = row_from<T>(factors.c, features),
             none = row_from<T>(nullptr, features);
  auto b = row_from<T>(factors.b, features);
  for (std::size_t j = 0; j < b.size(); ++j) b[j] *= by.rate[j];
  for_pieces(at, pieces_of(at), [&](Index piece, Index begin, Index end) {
    std::vector<T> sum_dy = none, sum_dyc = none;
    for (Index block = begin; block < end; block += kBlockRows) {
      for (Index i = block; i < std::min(end, block + kBlockRows); ++i) {
        const Index first = i * features;
        const bool counted = at.rows.counts(i);
        gradient_row<kWrite, kCentered, kSums>(at.x.data<T>() + first, dy.data<T>() + first, by.high.data(),
                                               by.low.data(), a.data(), (counted ? b : none).data(),
                                               (counted ? shift : none).data(), features,
                                               dx ? dx->data<T>() + first : nullptr, sum_dy.data(), sum_dyc.data());
      }
      if constexpr (kSums) {
        flush(sum_dy, parts + piece * 2 * features);
        flush(sum_dyc, parts + (piece * 2 + 1) * features);
      }
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

Remake remake_columns(const char* op, const Tensor& x, const Rows& rows, const std::vector<GhostBatch>& ghosts,
                      const Tensor& center, const Tensor& rate, const Tensor& weight, const Tensor& bias) {
  return [op, x = x.detach(), rows, ghosts, center = center, rate = rate, weight = weight.detach(),
          bias = bias.detach()]() mutable {
    Tensor y = empty_like(x);
    for (std::size_t k = 0; k < ghosts.size(); ++k) {
      normalize_columns(op, {x, rows, ghosts[k]}, {row_at(center, k), row_at(rate, k)}, weight, bias, &y);
    }
    return y;
  };
}

void gradient_columns(const char* op, const Columns& at, const Tensor& dy, const Normalizer& normalizer,
                      const GradientFactors& factors, Tensor* dx, bool accumulate, const GradientSums& sums) {
  const Index features = at.x.columns();
  const bool want_sums = sums.dy != nullptr;
  Tensor parts = Tensor::zeros({want_sums ? pieces_of(at).count : 0, 2 * features}, Dtype::f64);
  visit_real(op, at.x.dtype(), [&]<class T>() {
    const NormalizerRows<T> by(normalizer, features);
    const auto run = [&]<Write kWrite, bool kCentered, bool kSums>() {
      gradient_pass<kWrite, kCentered, kSums, T>(at, dy, by, factors, dx, parts.data<double>());
    };
    const auto with_write = [&]<bool kCentered, bool kSums>() {
      if (!dx) return run.template operator()<Write::nothing, kCentered, kSums>();
      if (!accumulate) return run.template operator()<Write::set, kCentered, kSums>();
      run.template operator()<Write::add, kCentered, kSums>();
    };
    if (by.centered)
      return want_sums ? with_write.template operator()<true, true>() : with_write.template operator()<true, false>();
    want_sums ? with_write.template operator()<false, true>() : with_write.template operator()<false, false>();
  });
  if (!want_sums) return;
  Tensor total = Tensor::empty({2 * features}, Dtype::f64);
  join_pieces(parts, total.data<double>(), 2 * features);
  std::copy_n(total.data<double>(), features, sums.dy);
  for (Index j = 0; j < features; ++j) sums.dyn[j] = normalizer.rate[j] * total.data<double>()[features + j];
}

void rate_of(const char* op, const double* variance, Index features, double epsilon, double* rate) {
  check(epsilon >= 0, op, ": epsilon must not be negative, got ", epsilon);
  for (Index j = 0; j < features; ++j) {
    check(variance[j] + epsilon != 0, op, ": the statistic of a feature + epsilon must not be 0, got 0 in feature ", j,
          "; give an epsilon above 0");
    // As in rows, a square too large is NaN, for the trainer to see.
    rate[j] = std::isinf(variance[j]) ? std::numeric_limits<double>::quiet_NaN() : 1 / std::sqrt(variance[j] + epsilon);
  }
}

double* row_at(Tensor& x, std::size_t row) {
  return x.defined() ? x.data<double>() + static_cast<Index>(row) * x.columns() : nullptr;
}

bool holds_features(const Tensor& x, Index features) { return x.shape() == Shape{features} && x.dtype() == Dtype::f64; }

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
