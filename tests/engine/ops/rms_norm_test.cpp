// RMS norm against its definition written as plain loops, finite differences, and itself in float64.
#include "engine/ops/rms_norm.h"

#include <cmath>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

TensorFunction rms_norm_with(Index groups, double epsilon) {
  return
      [=](const std::vector<Tensor>& in) { return rms_norm(in[0], in.size() > 1 ? in[1] : Tensor(), groups, epsilon); };
}

// The twin: the definition, and for the gradient the Jacobian of n written out in full,
// dn_a / dx_b = r * ([a = b] - n_a n_b / F) within a group of F features, 0 between groups.
TensorFunction twin_with(Index groups, double epsilon) {
  return [=](const std::vector<Tensor>& in) {
    const Tensor x = in[0].detach(), weight = in[1].detach();
    const Index features = x.columns(), run = features / groups;
    const auto count = static_cast<double>(run);
    Tensor y = empty_like(x), n = empty_like(x), r = empty_like(x);
    for (Index i = 0; i < x.size(); ++i) {
      const Index begin = i / run * run;
      double square = 0;
      for (Index j = begin; j < begin + run; ++j) square += x.at(j) * x.at(j) / count;
      r.set(i, 1 / std::sqrt(square + epsilon));
      n.set(i, x.at(i) * r.at(i));
      y.set(i, weight.at(i % features) * n.at(i));
    }
    return record("twin", {&in[0], &in[1]}, y, [=](const Tensor& dy, Gradients& into) {
      const auto add = [&](Index input, Index at, double value) { into[input].set(at, into[input].at(at) + value); };
      for (Index a = 0; a < x.size(); ++a) {
        add(1, a % features, dy.at(a) * n.at(a));
        for (Index b = a / run * run; b < (a / run + 1) * run; ++b) {
          add(0, b, dy.at(a) * weight.at(a % features) * r.at(a) * ((a == b) - n.at(a) * n.at(b) / count));
        }
      }
    });
  };
}

std::vector<Tensor> inputs(Index rows, Index features, Dtype dtype = Dtype::f64) {
  return {gaussian({rows, features}, "x", 0.5, 1).cast(dtype), gaussian({features}, "weight", 1, 0.5).cast(dtype)};
}

}  // namespace

TEST_CASE("rms_norm: gradients") {
  for (const Index groups : {1, 3}) {
    for (const double epsilon : {1e-5, 0.1}) {
      for (const Tensor& x : {gaussian({5, 6}, "x"), gaussian({2, 3, 21}, "x")}) {
        const GradcheckResult with_weight = gradcheck(
            rms_norm_with(groups, epsilon), {x, gaussian({x.columns()}, "weight", 1, 0.5)}, {.names = {"x", "weight"}});
        INFO(with_weight.report);
        CHECK(with_weight);
        const GradcheckResult plain = gradcheck(rms_norm_with(groups, epsilon), {x});
        INFO(plain.report);
        CHECK(plain);
      }
    }
  }
}

TEST_CASE("rms_norm and its definition agree") {  // rows enough for several pieces
  for (const Index groups : {1, 3, 15}) {
    CHECK(difference(rms_norm_with(groups, 0.1), twin_with(groups, 0.1), inputs(2500, 15)) < 1e-12);
  }
}

TEST_CASE("rms_norm: epsilon stands under the root, and each group has a root of its own") {
  // Squares 1 and 17 with mean 9 in the first row: 1 / sqrt(9 + 7) = 0.25. Alone they give 1 / sqrt(8) and 3 / 4.
  const Tensor x = Tensor::from<double>({1, 2}, {1, std::sqrt(17.0)});
  CHECK(rms_norm(x, {}, 1, 7).at(0) == Approx(0.25));
  CHECK(rms_norm(x, {}, 1, 7).at(1) == Approx(std::sqrt(17.0) / 4));
  CHECK(rms_norm(x, {}, 2, 7).at(0) == Approx(1 / std::sqrt(8.0)));
  CHECK(rms_norm(x, {}, 2, 7).at(1) == Approx(std::sqrt(17.0 / 24)));
}

TEST_CASE("rms_norm: the gradients that are wanted, and no others, come out the same") {
  CHECK(same_when_wanted_alone(rms_norm_with(2, 0.1), inputs(70, 6)));
}

TEST_CASE("rms_norm in f32 keeps up with f64") {
  for (const Index groups : {1, 4}) CHECK(difference_of_f32(rms_norm_with(groups, 1e-5), inputs(1000, 260)) < 1e-6);
}

TEST_CASE("rms_norm: the same bits on any number of threads") {
  CHECK(same_on_any_threads(rms_norm_with(1, 1e-5), inputs(1003, 67, Dtype::f32)));
  CHECK(same_on_any_threads(rms_norm_with(4, 1e-5), inputs(1003, 68, Dtype::f32)));
}

TEST_CASE("rms_norm: a row of zeros stays zero, and without epsilon is an error") {
  Tensor x = gaussian({2000, 6}, "x");
  for (Index j = 0; j < 3; ++j) x.set(1500 * 6 + 3 + j, 0);
  const Tensor y = rms_norm(x, {}, 2, 0.1);
  for (Index j = 0; j < 3; ++j) CHECK(y.at(1500 * 6 + 3 + j) == 0);
  CHECK(rms_norm(x, {}, 1, 0).all_finite());
  CHECK_THROWS_WITH(rms_norm(x, {}, 2, 0),
                    "rms_norm: mean(x^2) + epsilon must not be 0, got 0 in row 1500; give an epsilon above 0");
  x.set(0, std::nan(""));
  CHECK(std::isnan(rms_norm(x, {}, 1, 0).at(1)));
}

TEST_CASE("rms_norm: errors") {
  const Tensor x = Tensor::zeros({4, 6}, Dtype::f32);
  CHECK_THROWS_WITH(rms_norm(x, {}, 4, 0.1),
                    "rms_norm: groups must divide the features, got 4 groups and x of shape [4, 6]");
  CHECK_THROWS_WITH(rms_norm(x, {}, 0, 0.1),
                    "rms_norm: groups must divide the features, got 0 groups and x of shape [4, 6]");
  CHECK_THROWS_WITH(rms_norm(x, {}, 1, -1), "rms_norm: epsilon must not be negative, got -1");
  CHECK_THROWS_WITH(rms_norm(x, Tensor::zeros({5}, Dtype::f32), 1, 0.1),
                    "rms_norm: weight must be f32 [6] for x of shape [4, 6], got f32 [5]");
}
