// Cross-entropy, fused with the softmax before it. With p = softmax(x), s = label_smoothing, C classes and target t,
//
//   log p    = (x - max) - log sum exp(x - max)
//   q        = (1 - s) * one_hot(t) + s / C
//   row loss = -sum_c q_c log p_c
//   dx       = (p - q) * dloss / divisor
//
// Neither p nor log p is ever stored: forward keeps two numbers a row, from which backward makes p again right where dx
// is written: over the logits themselves, when nobody but this op still holds them.
//
// The logits x = h W^T + b are the largest matrix of a language model, [tokens, vocabulary], and a row of them is of
// use for its own loss alone. So linear_cross_entropy takes a block of rows at a time: its logits, its loss and at once
//
//   dh = dx W        dW += dx^T h        db += sum over the rows of dx
//
// for dloss = 1. The block's logits are then forgotten; backward multiplies the three by dloss. A batch of one block is
// left to the two plain ops, which need no other memory for dW.
#include "loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "../parallel.h"
#include "../tape.h"
#include "pointwise.h"
#include "product.h"
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
      const T log_sum = std::log(sum_of_exponentials(x, max));
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
      const T max = statistics[2 * i], inverse_sum = std::exp(-statistics[2 * i + 1]);
      for_exponentials(logits + i * classes, classes, max, [&](Index first, Index count, const T* y) {
        put(row_of(dx.data() + first, 0, count), (row_of(y, 0, count) * inverse_sum - uniform) * scale, accumulate);
      });
      dx[targets[i]] -= static_cast<T>((1 - smoothing) * factor);
    }
  });
}

// What both ops ask of their arguments.
void check_problem(const char* op, Index tokens, Index classes, const Tensor& targets, const Rows& rows,
                   double label_smoothing, double divisor) {
  const Shape shape{tokens, classes};
  check(classes > 0, op, ": logits must have at least one class, got shape ", shape);
  check(targets.dtype() == Dtype::i32 && targets.size() == tokens, op, ": targets must be i32 [", tokens,
        "] for logits of shape ", shape, ", got ", targets.dtype(), " ", targets.shape());
  check(rows.tokens() == tokens, op, ": Rows must hold the ", tokens, " rows of the logits, got ", rows.tokens());
  check(label_smoothing >= 0 && label_smoothing <= 1, op, ": label_smoothing must be in [0, 1], got ", label_smoothing);
  check(divisor >= 0, op, ": divisor must not be negative, got ", divisor);
  check(divisor > 0 || rows.counted() > 0, op, ": without a divisor at least one row must count, got none of ", tokens);
  const std::int32_t* target = targets.data<std::int32_t>();
  for (Index i = 0; i < tokens; ++i) {
    check(!rows.counts(i) || (target[i] >= 0 && target[i] < classes), op, ": targets must be in [0, ", classes,
          "), got ", target[i], " in row ", i);
  }
}

// The rows [begin, end), copied; and which of them count, as one sequence.
Tensor block_of(const Tensor& x, Index columns, Index begin, Index end) {
  Tensor block = Tensor::empty({end - begin, columns}, x.dtype());
  const std::size_t row = static_cast<std::size_t>(columns) * bytes_of(x.dtype());
  std::memcpy(block.raw(), static_cast<const std::byte*>(x.raw()) + static_cast<std::size_t>(begin) * row,
              block.bytes());
  return block;
}
Rows block_of(const Rows& rows, Index begin, Index end) {
  if (rows.all_count()) return Rows::single(end - begin);
  std::vector<std::uint8_t> counted;
  for (Index i = begin; i < end; ++i) counted.push_back(rows.counts(i));
  return Rows({0, end - begin}, std::move(counted));
}

}  // namespace

CrossEntropy cross_entropy(const Tensor& logits, const Tensor& targets, const Rows& rows, double label_smoothing,
                           double divisor) {
  const Index tokens = logits.rows(), classes = logits.columns();
  check_problem("cross_entropy", tokens, classes, targets, rows, label_smoothing, divisor);
  const std::int32_t* target = targets.data<std::int32_t>();
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

CrossEntropy linear_cross_entropy(const Tensor& h, const Tensor& weight, const Tensor& bias, const Tensor& targets,
                                  const Rows& rows, double label_smoothing, double divisor, const std::string& site) {
  check(weight.shape().rank() == 2, "linear_cross_entropy: weight must have rank 2 [classes, in], got ",
        weight.shape());
  const Index tokens = h.rows();
  check_problem("linear_cross_entropy", tokens, weight.rows(), targets, rows, label_smoothing, divisor);
  // The logits are to be a temporary: with no other handle on them, their gradient comes to lie in their memory.
  const auto logits = [&site](const Tensor& x, const Tensor& w, const Tensor& b) {
    const Tensor y = linear(x, w, b);
    return site.empty() ? y : watch(site, y);
  };
  if (tokens <= kLossRowsAtOnce) {
    return cross_entropy(logits(h, weight, bias), targets, rows, label_smoothing, divisor);
  }
  if (divisor == 0) divisor = static_cast<double>(rows.counted());

  // Each block's gradients come from the two plain ops on a tape of its own, with leaves that share the numbers of
  // weight and bias.
  const Tape* outer = Tape::current();
  Tensor w = weight.detach(), b = bias.detach(), dh;
  if (outer) {
    dh = empty_like(h);
    w.require_gradient();
    if (b.defined()) b.require_gradient();
  }
  CrossEntropy result;
  for (Index begin = 0; begin < tokens; begin += kLossRowsAtOnce) {
    const Index end = std::min(tokens, begin + kLossRowsAtOnce);
    Tensor block = block_of(h, h.columns(), begin, end);
    std::optional<Tape> tape;
    if (outer) {
      block.require_gradient();
      tape.emplace(outer->observer());
    }
    const CrossEntropy part = cross_entropy(logits(block, w, b), block_of(targets, 1, begin, end),
                                            block_of(rows, begin, end), label_smoothing, divisor);
    result.nll += part.nll;
    result.smoothed += part.smoothed;
    result.tokens += part.tokens;
    result.correct += part.correct;
    if (!outer) continue;
    tape->backward(part.loss);
    std::memcpy(static_cast<std::byte*>(dh.raw()) + static_cast<std::size_t>(begin * h.columns()) * bytes_of(h.dtype()),
                block.gradient().raw(), block.bytes());
  }

  const auto gradient_of = [](const Tensor& leaf) { return leaf.is_leaf() ? leaf.gradient() : Tensor(); };
  const std::array gradients{std::move(dh), gradient_of(w), gradient_of(b)};
  const auto backward = [gradients](const Tensor& dloss, Gradients& into) {
    visit_real("linear_cross_entropy", dloss.dtype(), [&]<class T>() {
      const T factor = dloss.data<T>()[0];
      for (Index i = 0; i < 3; ++i) {
        const Tensor& of_one = gradients[static_cast<std::size_t>(i)];
        if (!of_one.defined()) continue;
        const T* g = of_one.data<T>();
        add_gradient<T>(into, i, [=](Index j) { return factor * g[j]; }, of_one);
      }
    });
  };
  const Tensor loss = Tensor::scalar(result.smoothed / divisor, h.dtype());
  result.loss = record("linear_cross_entropy", {&h, &weight, &bias}, loss, backward);
  return result;
}

}  // namespace normlab
