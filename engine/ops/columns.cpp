// Columns: see the header. Every pass is a loop over fixed pieces of the rows, and within a piece over blocks.
#include "columns.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../parallel.h"
#include "row_map.inl"

namespace normlab {
namespace {

// Rows of a block: about 32 kB in f32. So few terms lose nothing when they are added up in float.
Index block_rows(Index features) { return std::clamp<Index>(8192 / std::max<Index>(1, features), 1, 32); }

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

// One number for each feature in the matrix's own type, as an Eigen array.
template <class T>
Eigen::Array<T, Eigen::Dynamic, 1> row_from(const double* values, Index features, double otherwise = 0) {
  if (!values) return Eigen::Array<T, Eigen::Dynamic, 1>::Constant(features, static_cast<T>(otherwise));
  return Eigen::Map<const Eigen::ArrayXd>(values, features).cast<T>();
}

// (x_i - center) * rate. In f32 the center is kept as a float and what is left of it: where the mean is far larger than
// the deviation, x - float(mean) is exact, and the rest is not lost.
template <class T>
class Normalized {
 public:
  Normalized(const Columns& at, const Normalizer& normalizer)
      : x_(at.x.data<T>()), features_(at.x.columns()), centered_(normalizer.center != nullptr) {
    rate_ = row_from<T>(normalizer.rate, features_);
    high_ = row_from<T>(normalizer.center, features_);
    low_ = high_;
    for (Index j = 0; centered_ && j < features_; ++j) {
      low_[j] = static_cast<T>(normalizer.center[j] - static_cast<double>(high_[j]));
    }
  }
  // Calls use(n), n an expression for the normalized row i.
  template <class Use>
  void row(Index i, Use&& use) const {
    const auto x = row_of(x_, i, features_);
    if (centered_) {
      use((x - high_ - low_) * rate_);
    } else {
      use(x * rate_);
    }
  }
  void scale_rate(const Tensor& weight) { rate_ *= row_of(weight.data<T>(), 0, features_); }

 private:
  const T* x_;
  Index features_;
  bool centered_;
  Eigen::Array<T, Eigen::Dynamic, 1> rate_, high_, low_;
};

// The mean of some rows and the sum of squares about it; joined with those of other rows (Chan, Golub & LeVeque 1979).
struct Spread {
  double count = 0;
  Eigen::ArrayXd mean, squares;

  explicit Spread(Index features) : mean(Eigen::ArrayXd::Zero(features)), squares(Eigen::ArrayXd::Zero(features)) {}
  template <class Mean, class Squares>
  void join(double other_count, const Mean& other_mean, const Squares& other_squares) {
    if (other_count == 0) return;
    const double share = other_count / (count + other_count), weight = count * share;
    for (Index j = 0; j < mean.size(); ++j) {
      const double distance = other_mean[j] - mean[j];
      mean[j] += distance * share;
      squares[j] += other_squares[j] + distance * distance * weight;
    }
    count += other_count;
  }
};

// Joins the counted rows of [begin, end) to `spread`, block by block; each block in two passes over the cache.
template <class T>
void spread_of_rows(const Columns& at, Index begin, Index end, Spread& spread) {
  using Row = Eigen::Array<T, Eigen::Dynamic, 1>;
  const Index features = at.x.columns(), step = block_rows(features);
  const T* x = at.x.data<T>();
  Row sum(features), squares(features);
  for (Index block = begin; block < end; block += step) {
    const Index stop = std::min(end, block + step);
    Index first = block;
    while (first < stop && !at.rows.counts(first)) ++first;
    if (first == stop) continue;
    const auto x0 = row_of(x, first, features);  // taken off, so that sums do not lose digits to a large mean
    double count = 0;
    sum.setZero();
    for (Index i = first; i < stop; ++i) {
      if (!at.rows.counts(i)) continue;
      sum += row_of(x, i, features) - x0;
      ++count;
    }
    sum /= static_cast<T>(count);
    squares.setZero();
    for (Index i = first; i < stop; ++i) {
      if (at.rows.counts(i)) squares += (row_of(x, i, features) - x0 - sum).square();
    }
    spread.join(count, x0.template cast<double>() + sum.template cast<double>(), squares.template cast<double>());
  }
}

// Adds the squares of the counted rows of [begin, stop), a block, to `sums`.
template <class T>
void add_squares(const Columns& at, Index begin, Index stop, Eigen::Array<T, Eigen::Dynamic, 1>& scratch,
                 double* sums) {
  const Index features = at.x.columns();
  scratch.setZero();
  for (Index i = begin; i < stop; ++i) {
    if (at.rows.counts(i)) scratch += row_of(at.x.data<T>(), i, features).square();
  }
  Eigen::Map<Eigen::ArrayXd>(sums, features) += scratch.template cast<double>();
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

// Second moment from the pieces' sums of squares.
void second_moment_from(const Tensor& sums, const Columns& at, double* second_moment) {
  join_pieces(sums, second_moment, at.x.columns());
  for (Index j = 0; j < at.x.columns(); ++j) second_moment[j] /= static_cast<double>(at.ghost.counted);
}

// One trip over x and dy: adds to parts[2, features] of each piece the sums of dy and dy * n, and writes dx, where
// asked.
template <class T>
void gradient_pass(const Columns& at, const Pieces& pieces, const Tensor& dy, const Normalizer& normalizer,
                   const GradientFactors& factors, Tensor* dx, bool accumulate, Tensor* parts) {
  using Row = Eigen::Array<T, Eigen::Dynamic, 1>;
  const Index features = at.x.columns(), step = block_rows(features);
  const Normalized<T> normalized(at, normalizer);
  const Row a = row_from<T>(factors.a, features), b = row_from<T>(factors.b, features),
            c = row_from<T>(factors.c, features);
  for_pieces(at, pieces, [&](Index piece, Index begin, Index end) {
    Row sum_dy(features), sum_dyn(features);
    for (Index block = begin; block < end; block += step) {
      sum_dy.setZero();
      sum_dyn.setZero();
      for (Index i = block; i < std::min(end, block + step); ++i) {
        const auto d = row_of(dy.data<T>(), i, features);
        normalized.row(i, [&](const auto& n) {
          if (parts) {
            sum_dy += d;
            sum_dyn += d * n;
          }
          if (!dx) return;
          const auto out = row_of(dx->data<T>(), i, features);
          if (at.rows.counts(i)) {
            put(out, a * d + b * n + c, accumulate);
          } else {
            put(out, a * d, accumulate);
          }
        });
      }
      if (!parts) continue;
      double* part = parts->data<double>() + piece * 2 * features;
      Eigen::Map<Eigen::ArrayXd>(part, features) += sum_dy.template cast<double>();
      Eigen::Map<Eigen::ArrayXd>(part + features, features) += sum_dyn.template cast<double>();
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
      spread_of_rows<T>(at, begin, end, spreads[static_cast<std::size_t>(piece)]);
    });
  });
  Spread all(features);
  for (const Spread& spread : spreads) all.join(spread.count, spread.mean, spread.squares);
  std::copy(all.mean.begin(), all.mean.end(), mean);
  for (Index j = 0; j < features; ++j) variance[j] = all.squares[j] / all.count;
}

void measure_columns(const char* op, const Columns& at, double* second_moment) {
  check_counted(op, at);
  const Index features = at.x.columns(), step = block_rows(features);
  const Pieces pieces = pieces_of(at);
  Tensor sums = Tensor::zeros({pieces.count, features}, Dtype::f64);
  visit_real(op, at.x.dtype(), [&]<class T>() {
    for_pieces(at, pieces, [&](Index piece, Index begin, Index end) {
      Eigen::Array<T, Eigen::Dynamic, 1> scratch(features);
      for (Index block = begin; block < end; block += step) {
        add_squares<T>(at, block, std::min(end, block + step), scratch, sums.data<double>() + piece * features);
      }
    });
  });
  second_moment_from(sums, at, second_moment);
}

void normalize_columns(const char* op, const Columns& at, const Normalizer& normalizer, const Tensor& weight,
                       const Tensor& bias, Tensor& y, double* second_moment) {
  if (second_moment) check_counted(op, at);
  const Index features = at.x.columns(), step = block_rows(features);
  const Pieces pieces = pieces_of(at);
  Tensor sums = Tensor::zeros({pieces.count, second_moment ? features : 0}, Dtype::f64);
  visit_real(op, at.x.dtype(), [&]<class T>() {
    Normalized<T> scaled(at, normalizer);
    scaled.scale_rate(weight);
    const auto shift = row_of(bias.data<T>(), 0, features);
    for_pieces(at, pieces, [&](Index piece, Index begin, Index end) {
      Eigen::Array<T, Eigen::Dynamic, 1> scratch(features);
      for (Index block = begin; block < end; block += step) {
        const Index stop = std::min(end, block + step);
        if (second_moment) add_squares<T>(at, block, stop, scratch, sums.data<double>() + piece * features);
        for (Index i = block; i < stop; ++i) {
          scaled.row(i, [&](const auto& n) { row_of(y.data<T>(), i, features) = n + shift; });
        }
      }
    });
  });
  if (second_moment) second_moment_from(sums, at, second_moment);
}

void gradient_columns(const char* op, const Columns& at, const Tensor& dy, const Normalizer& normalizer,
                      const GradientFactors& factors, Tensor* dx, bool accumulate, const GradientSums& sums) {
  const Index features = at.x.columns();
  const Pieces pieces = pieces_of(at);
  Tensor parts;
  if (sums.dy) parts = Tensor::zeros({pieces.count, 2 * features}, Dtype::f64);
  visit_real(op, at.x.dtype(), [&]<class T>() {
    gradient_pass<T>(at, pieces, dy, normalizer, factors, dx, accumulate, sums.dy ? &parts : nullptr);
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
