// Batch norm and PN-V against their definition in plain loops, finite differences, and themselves in float64.
#include "engine/ops/batch_norm.h"

#include <cmath>

#include "engine/ghost_batches.h"
#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

using Op = BatchNormalized (*)(const Tensor&, const Tensor&, const Tensor&, const Rows&, Index, double);

TensorFunction with(Op op, const Rows& rows, Index statistics_tokens, double epsilon) {
  return [=](const std::vector<Tensor>& in) { return op(in[0], in[1], in[2], rows, statistics_tokens, epsilon).y; };
}

// The twin: the definition, and for the gradient the Jacobian of n written out in full. Row b moves the statistics of
// its ghost batch if it counts: dn_a / dx_b = r * ([a = b] - [b counts] * ([centered] + n_a n_b) / N).
TensorFunction twin(bool centered, const Rows& rows, Index statistics_tokens, double epsilon) {
  return [=](const std::vector<Tensor>& in) {
    const Tensor x = in[0].detach(), weight = in[1].detach(), bias = in[2].detach();
    const Index features = x.columns();
    Tensor y = empty_like(x), n = empty_like(x);
    const auto ghosts = ghost_batches(rows, statistics_tokens);
    Tensor r = Tensor::zeros({static_cast<Index>(ghosts.size()), features}, Dtype::f64);
    for (std::size_t k = 0; k < ghosts.size(); ++k) {
      const auto count = static_cast<double>(ghosts[k].counted);
      for (Index j = 0; j < features; ++j) {
        double mean = 0, variance = 0;
        for (Index i = ghosts[k].begin; i < ghosts[k].end && centered; ++i) {
          if (rows.counts(i)) mean += x.at(i * features + j) / count;
        }
        for (Index i = ghosts[k].begin; i < ghosts[k].end; ++i) {
          if (rows.counts(i)) variance += std::pow(x.at(i * features + j) - mean, 2) / count;
        }
        const double rate = 1 / std::sqrt(variance + epsilon);
        r.set(static_cast<Index>(k) * features + j, rate);
        for (Index i = ghosts[k].begin; i < ghosts[k].end; ++i) {
          n.set(i * features + j, (x.at(i * features + j) - mean) * rate);
          y.set(i * features + j, weight.at(j) * n.at(i * features + j) + bias.at(j));
        }
      }
    }
    return record("twin", {&in[0], &in[1], &in[2]}, y, [=](const Tensor& dy, Gradients& into) {
      const auto add = [&](Index input, Index at, double value) { into[input].set(at, into[input].at(at) + value); };
      for (std::size_t k = 0; k < ghosts.size(); ++k) {
        const auto count = static_cast<double>(ghosts[k].counted);
        for (Index j = 0; j < features; ++j) {
          for (Index a = ghosts[k].begin; a < ghosts[k].end; ++a) {
            const double dy_a = dy.at(a * features + j), n_a = n.at(a * features + j);
            add(1, j, dy_a * n_a);
            add(2, j, dy_a);
            for (Index b = ghosts[k].begin; b < ghosts[k].end; ++b) {
              const double through = rows.counts(b) ? (centered + n_a * n.at(b * features + j)) / count : 0;
              const double jacobian = r.at(static_cast<Index>(k) * features + j) * ((a == b) - through);
              add(0, b * features + j, dy_a * weight.at(j) * jacobian);
            }
          }
        }
      }
    });
  };
}

std::vector<Tensor> inputs(Index rows, Index features, double mean = 0, Dtype dtype = Dtype::f64) {
  return {gaussian({rows, features}, "x", mean, 1).cast(dtype), gaussian({features}, "weight", 1, 0.5).cast(dtype),
          gaussian({features}, "bias", dtype)};
}

// 11 rows in three sequences, of which 8 count.
Rows some_count() { return Rows({0, 4, 5, 11}, {1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0}); }

const std::vector<std::pair<Op, bool>> kBoth = {{batch_norm, true}, {power_norm_v, false}};

}  // namespace

TEST_CASE("batch_norm and power_norm_v: gradients") {
  for (const auto& [op, centered] : kBoth) {
    for (const double epsilon : {1e-5, 0.1}) {
      for (const Index tokens : {0, 4}) {
        const GradcheckResult result =
            gradcheck(with(op, some_count(), tokens, epsilon), inputs(11, 5), {.names = {"x", "weight", "bias"}});
        INFO(result.report);
        CHECK(result);
      }
    }
  }
}

TEST_CASE("batch_norm and power_norm_v: gradients with one token, with two, and of constant features") {
  for (const auto& [op, centered] : kBoth) {
    for (const Index rows : {1, 2}) {
      const GradcheckResult result =
          gradcheck(with(op, Rows::single(rows), 0, 0.1), inputs(rows, 6), {.names = {"x", "weight", "bias"}});
      INFO(result.report);
      CHECK(result);
    }
    for (const double value : {0.0, 2.0}) {
      std::vector<Tensor> in = inputs(5, 3);
      for (Index i = 0; i < 5; ++i) in[0].set(i * 3 + 1, value);
      const GradcheckResult result =
          gradcheck(with(op, Rows::single(5), 0, 0.1), in, {.names = {"x", "weight", "bias"}});
      INFO(result.report);
      CHECK(result);
    }
  }
}

TEST_CASE("batch_norm and power_norm_v agree with their definition") {
  for (const auto& [op, centered] : kBoth) {
    for (const Index tokens : {0, 1, 3, 8}) {
      CHECK(difference(with(op, some_count(), tokens, 1e-5), twin(centered, some_count(), tokens, 1e-5),
                       inputs(11, 7)) < 1e-12);
    }
    // Enough rows for several pieces and blocks.
    const Rows many = Rows::equal(5, 61);
    CHECK(difference(with(op, many, 100, 1e-5), twin(centered, many, 100, 1e-5), inputs(305, 3, 2)) < 1e-12);
  }
}

TEST_CASE("batch_norm: rows that do not count leave the others alone") {
  std::vector<Tensor> in = inputs(11, 4);
  const Tensor before = batch_norm(in[0], in[1], in[2], some_count(), 0, 1e-5).y;
  for (const Index row : {2, 5, 10}) {
    for (Index j = 0; j < 4; ++j) in[0].set(row * 4 + j, 1e3);
  }
  const Tensor after = batch_norm(in[0], in[1], in[2], some_count(), 0, 1e-5).y;
  for (Index i = 0; i < 11; ++i) {
    for (Index j = 0; j < 4; ++j) CHECK((before.at(i * 4 + j) == after.at(i * 4 + j)) == some_count().counts(i));
  }
}

TEST_CASE("batch_norm: one token gives the bias, and no gradient to x") {
  const std::vector<Tensor> in = inputs(1, 5, 100);
  const auto results = value_and_gradients(with(batch_norm, Rows::single(1), 0, 1e-5), in);
  CHECK(same_bits(results[0], in[2].reshape({1, 5})));
  for (Index j = 0; j < 5; ++j) CHECK(results[1].at(j) == Approx(0).margin(1e-12));
}

TEST_CASE("batch_norm: the statistics it reports") {
  const Tensor x = Tensor::from<double>({4, 1}, {1, 3, 7, 1000});
  const Rows rows({0, 4}, {1, 1, 1, 0});
  Tensor leaf = x.clone().require_gradient();
  Tape tape;
  const BatchNormalized result =
      batch_norm(leaf, Tensor::full({1}, Dtype::f64, 2), Tensor::zeros({1}, Dtype::f64), rows, 2, 1e-5);
  CHECK(result.statistics->mean.at(0) == 1);  // three tokens in two ghost batches: 1, then 3 and 7
  CHECK(result.statistics->mean.at(1) == 5);
  CHECK(result.statistics->variance.at(0) == 0);
  CHECK(result.statistics->variance.at(1) == 4);
  CHECK_FALSE(result.statistics->mean_g.defined());
  tape.backward(result.y, Tensor::from<double>({4, 1}, {1, 2, 5, 0}));
  CHECK(result.statistics->mean_g.at(1) == 7);                         // 2 * (2 + 5) / 2
  CHECK(result.statistics->mean_gn.at(1) == Approx(3).epsilon(1e-5));  // 2 * (5 - 2) / 2
}

TEST_CASE("batch_norm in f32 keeps up with f64, at a mean of 1e4 too") {
  for (const double mean : {0.0, 10.0, 1e4, -1e4}) {
    CHECK(difference_of_f32(with(batch_norm, Rows::single(1000), 0, 1e-5), inputs(1000, 17, mean)) < 1e-5);
  }
  std::vector<Tensor> outlier = inputs(1000, 17);
  for (Index j = 0; j < 17; ++j) outlier[0].set(j, 1e3);
  CHECK(difference_of_f32(with(batch_norm, Rows::single(1000), 0, 1e-5), outlier) < 1e-5);
  CHECK(difference_of_f32(with(power_norm_v, Rows::single(1000), 0, 1e-5), inputs(1000, 17, 3)) < 1e-5);
}

TEST_CASE("batch_norm and power_norm_v: the same bits on any number of threads") {
  for (const auto& [op, centered] : kBoth) {
    CHECK(same_on_any_threads(with(op, Rows::single(2003), 600, 1e-5), inputs(2003, 67, 1, Dtype::f32)));
    CHECK(same_on_any_threads(with(op, Rows::single(2003), 0, 1e-5), inputs(2003, 67, 1)));
  }
}

TEST_CASE("batch_norm and power_norm_v: y is made again ghost batch by ghost batch") {
  for (const Op op : {&batch_norm, &power_norm_v}) {
    const std::vector<Tensor> in = inputs(11, 5, 2, Dtype::f32);
    Tape tape;
    const Tensor y = op(in[0].detach().require_gradient(), in[1], in[2], some_count(), 3, 1e-5).y;
    const Tensor again = Kept(y).get();
    CHECK(again.raw() != y.raw());
    CHECK(same_bits(again, y));
  }
}

TEST_CASE("fixed_norm: value, gradients, and batch_norm's own statistics give batch_norm's value") {
  const std::vector<Tensor> in = inputs(9, 4, 1);
  const Tensor mean = gaussian({4}, "mean"), variance = Tensor::from<double>({4}, {0.5, 1, 2, 0});
  const GradcheckResult result =
      gradcheck([&](const std::vector<Tensor>& t) { return fixed_norm(t[0], t[1], t[2], mean, variance, 0.1); }, in);
  INFO(result.report);
  CHECK(result);
  const BatchNormalized normalized = batch_norm(in[0], in[1], in[2], Rows::single(9), 0, 1e-5);
  CHECK(difference(fixed_norm(in[0], in[1], in[2], normalized.statistics->mean.reshape({4}),
                              normalized.statistics->variance.reshape({4}), 1e-5),
                   normalized.y) < 1e-14);
}

TEST_CASE("batch_norm, power_norm_v, fixed_norm: the gradients that are wanted, and no others, come out the same") {
  const std::vector<Tensor> in = inputs(70, 6, 1);
  for (const Op op : {batch_norm, power_norm_v}) CHECK(same_when_wanted_alone(with(op, Rows::single(70), 0, 0.1), in));
  const Tensor mean = gaussian({6}, "mean"), variance = Tensor::full({6}, Dtype::f64, 2);
  const auto fixed = [&](const std::vector<Tensor>& t) { return fixed_norm(t[0], t[1], t[2], mean, variance, 0.1); };
  CHECK(same_when_wanted_alone(fixed, in));
}

TEST_CASE("batch_norm: numbers whose squares are too large become NaN, not the bias") {
  const Tensor x = Tensor::from<double>({2, 1}, {-1e200, 1e200});
  const Tensor one = Tensor::full({1}, Dtype::f64, 1);
  CHECK(std::isnan(batch_norm(x, one, one, Rows::single(2), 0, 1e-5).y.at(0)));
  CHECK(std::isnan(power_norm_v(x, one, one, Rows::single(2), 0, 1e-5).y.at(0)));
}

TEST_CASE("fixed_norm: errors") {
  const Tensor x = Tensor::zeros({4, 3}, Dtype::f32), one = Tensor::full({3}, Dtype::f32, 1);
  const Tensor row = Tensor::full({3}, Dtype::f64, 1), wrong = Tensor::full({2}, Dtype::f64, 1);
  CHECK_THROWS_WITH(
      fixed_norm(x, one, one, row, wrong, 1e-5),
      ContainsSubstring("fixed_norm: mean and variance must be f64 [3] for x of shape [4, 3], got f64 [3] "
                        "and f64 [2]"));
  CHECK_THROWS_WITH(fixed_norm(x, one, one, one, row, 1e-5), ContainsSubstring("got f32 [3] and f64 [3]"));
}

TEST_CASE("batch_norm: nothing to normalize is fine, no counted row is not") {
  const Tensor weight = Tensor::full({3}, Dtype::f64, 1), bias = Tensor::zeros({3}, Dtype::f64);
  CHECK(batch_norm(Tensor::zeros({0, 3}, Dtype::f64), weight, bias, Rows(), 0, 1e-5).y.rows() == 0);
  CHECK_THROWS_WITH(
      batch_norm(Tensor::zeros({2, 3}, Dtype::f64), weight, bias, Rows({0, 2}, {0, 0}), 0, 1e-5),
      ContainsSubstring("batch_norm: batch statistics need at least one row that counts, got none among 2"));
}

TEST_CASE("batch_norm: errors") {
  const Tensor x = Tensor::zeros({4, 3}, Dtype::f32), one = Tensor::full({3}, Dtype::f32, 1);
  CHECK_THROWS_WITH(batch_norm(x, Tensor::zeros({2}, Dtype::f32), one, Rows::single(4), 0, 1e-5),
                    ContainsSubstring("batch_norm: weight must be f32 [3] for x of shape [4, 3], got f32 [2]"));
  CHECK_THROWS_WITH(power_norm_v(x, one, one, Rows::single(5), 0, 1e-5),
                    ContainsSubstring("power_norm_v: x must hold the tokens of its rows, got [4, 3] for 5 tokens"));
  CHECK_THROWS_WITH(batch_norm(x, one, one, Rows::single(4), 0, 0),
                    ContainsSubstring("must not be 0, got 0 in feature 0; give an epsilon above 0"));
  for (const double epsilon : {-0.5, std::nan("")}) {
    for (const Op op : {&batch_norm, &power_norm_v}) {
      CHECK_THROWS_WITH(op(x, one, one, Rows::single(4), 0, epsilon),
                        ContainsSubstring("epsilon must not be negative"));
    }
  }
}
