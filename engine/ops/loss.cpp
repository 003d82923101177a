// Cross-entropy, fused with the softmax before it. With p = softmax(x), s = label_smoothing, C classes and target t,
//
//   log p    = (x - max) - log sum exp(x - max)
//   q        = (1 - s) * one_hot(t) + s / C
//   row loss = -sum_c q_c log p_c
//   dx       = (p - q) * dloss / divisor
//
// The logits are the largest matrix of a language model, [tokens, vocabulary]. Neither p nor log p is ever stored:
// forward keeps two numbers a row, from which backward makes p again right where dx is written: over the logits
// themselves, when nobody but this op still holds them.
#include "loss.h"

#include <cmath>
#include <vector>

#include "../parallel.h"
#include "../tape.h"
#include "row_map.inl"

namespace normlab {
namespace {

// statistics[tokens, 2]: max and log sum exp(x - max) of each counted row. losses[pieces, 3]: sums over the rows of a
// piece of the negative log-likelihood, of the smoothed loss and of how many targets have the largest logit.
template <class T>
void cross_entropy_forward(const T* logits, const std::int32_t* targets, const Rows& rows, Index classes,
                           double smoothing, Pieces pieces, T* statistics, double* losses) {
  const auto sum_piece = [&, smoothing](Index piece) {
    double nll = 0, smoothed = 0, correct = 0;
    for (Index i = pieces.begin(piece); i < pieces.end(piece); ++i) {
      if (!rows.counts(i)) continue;
      const auto x = row_of(logits, i, classes);
      const T max = x.maxCoeff();
      const T log_sum = std::log((x - max).exp().sum());
      const double row_nll = double{log_sum} - double{x[targets[i]] - max};
      // The mean of -log p over all classes.
      const double row_uniform = smoothing == 0 ? 0 : double{log_sum} - double{(x - max).mean()};
      nll += row_nll;
      smoothed += (1 - smoothing) * row_nll + smoothing * row_uniform;
      if (x[targets[i]] == max && (x.head(targets[i]) < max).all()) correct += 1;
      statistics[2 * i] = max;
      statistics[2 * i + 1] = log_sum;
    }
    losses[3 * piece] = nll;
    losses[3 * piece + 1] = smoothed;
    losses[3 * piece + 2] = correct;
  };
  parallel(pieces.count, sum_piece, pieces.rows * classes >= kWorthSharing);
}

// `factor` is dloss / divisor.
template <class T>
void cross_entropy_backward(const T* logits, const std::int32_t* targets, const Rows& rows, Index classes,
                            double smoothing, const T* statistics, double factor, T* dlogits, bool accumulate) {
  const T uniform = static_cast<T>(smoothing / static_cast<double>(classes));
  const T scale = static_cast<T>(factor);
  parallel_rows(rows.tokens(), classes, [&, uniform, scale](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      auto dx = row_of(dlogits, i, classes);
      if (!rows.counts(i)) {
        if (!accumulate) dx.setZero();
        continue;
      }
      const T max = statistics[2 * i], log_sum = statistics[2 * i + 1];
      put(dx, ((row_of(logits, i, classes) - max - log_sum).exp() - uniform) * scale, accumulate);
      dx[targets[i]] -= static_cast<T>((1 - smoothing) * factor);
    }
  });
}

}  // namespace

CrossEntropy cross_entropy(const Tensor& logits, const Tensor& targets, const Rows& rows, double label_smoothing,
                           double divisor) {
  const Index tokens = logits.rows(), classes = logits.columns();
  check(classes > 0, "cross_entropy: logits must have at least one class, got shape ", logits.shape());
  check(targets.dtype() == Dtype::i32 && targets.size() == tokens, "cross_entropy: targets must be i32 [", tokens,
        "] for logits of shape ", logits.shape(), ", got ", targets.dtype(), " ", targets.shape());
  check(rows.tokens() == tokens, "cross_entropy: Rows must hold the ", tokens, " rows of the logits, got ",
        rows.tokens());
  check(label_smoothing >= 0 && label_smoothing <= 1, "cross_entropy: label_smoothing must be in [0, 1], got ",
        label_smoothing);
  check(divisor >= 0, "cross_entropy: divisor must not be negative, got ", divisor);
  check(divisor > 0 || rows.counted() > 0, "cross_entropy: without a divisor at least one row must count, got none of ",
        tokens);
  const std::int32_t* target = targets.data<std::int32_t>();
  for (Index i = 0; i < tokens; ++i) {
    check(!rows.counts(i) || (target[i] >= 0 && target[i] < classes), "cross_entropy: targets must be in [0, ", classes,
          "), got ", target[i], " in row ", i);
  }

  Tensor statistics = Tensor::empty({tokens, 2}, logits.dtype());
  const Pieces pieces = reduction_pieces(tokens, classes);
  std::vector<double> losses(3 * static_cast<std::size_t>(pieces.count));
  visit_real("cross_entropy", logits.dtype(), [&]<class T>() {
    cross_entropy_forward(logits.data<T>(), target, rows, classes, label_smoothing, pieces, statistics.data<T>(),
                          losses.data());
  });
  CrossEntropy result;
  for (std::size_t piece = 0; piece < losses.size(); piece += 3) {
    result.nll += losses[piece];
    result.smoothed += losses[piece + 1];
    result.correct += static_cast<Index>(losses[piece + 2]);
  }
  result.tokens = rows.counted();
  if (divisor == 0) divisor = static_cast<double>(rows.counted());

  // Saved are the logits (no copy: the handle), the targets and the two numbers a row.
  result.loss = record("cross_entropy", {&logits}, Tensor::scalar(result.smoothed / divisor, logits.dtype()),
                       [logits = logits.detach(), targets = targets.detach(), rows, label_smoothing, divisor,
                        statistics](const Tensor& dy, Gradients& into) {
    const auto dlogits = into.target(0, logits);
    visit_real("cross_entropy", logits.dtype(), [&]<class T>() {
      cross_entropy_backward(logits.data<T>(), targets.data<std::int32_t>(), rows, logits.columns(), label_smoothing,
                             statistics.data<T>(), dy.item() / divisor, dlogits.gradient.data<T>(), dlogits.accumulate);
    });
  });
  return result;
}

}  // namespace normlab
