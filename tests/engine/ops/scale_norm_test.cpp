// ScaleNorm against its definition written as plain loops, finite differences, and itself in float64.
#include "engine/ops/scale_norm.h"

#include <cmath>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

TensorFunction scale_norm_with(double epsilon) {
  return [=](const std::vector<Tensor>& in) { return scale_norm(in[0], in[1], epsilon); };
}

// The twin: the definition, and for the gradient the Jacobian written out in full, dy_a / dx_b = g * r * ([a = b] - n_a
// n_b) within a row.
TensorFunction twin_with(double epsilon) {
  return [=](const std::vector<Tensor>& in) {
    const Tensor x = in[0].detach();
    const double g = in[1].at(0);
    const Index features = x.columns();
    Tensor y = empty_like(x), n = empty_like(x), r = empty_like(x);
    for (Index i = 0; i < x.size(); ++i) {
      const Index begin = i / features * features;
      double square = 0;
      for (Index j = begin; j < begin + features; ++j) square += x.at(j) * x.at(j);
      r.set(i, 1 / std::sqrt(square + epsilon));
      n.set(i, x.at(i) * r.at(i));
      y.set(i, g * n.at(i));
    }
    return record("twin", {&in[0], &in[1]}, y, [=](const Tensor& dy, Gradients& into) {
      const auto add = [&](Index input, Index at, double value) { into[input].set(at, into[input].at(at) + value); };
      for (Index a = 0; a < x.size(); ++a) {
        add(1, 0, dy.at(a) * n.at(a));
        for (Index b = a / features * features; b < (a / features + 1) * features; ++b) {
          add(0, b, dy.at(a) * g * r.at(a) * ((a == b) - n.at(a) * n.at(b)));
        }
      }
    });
  };
}

std::vector<Tensor> inputs(Index rows, Index features, Dtype dtype = Dtype::f64) {
  return {gaussian({rows, features}, "x", 0.5, 1).cast(dtype), gaussian({1}, "g", 3, 1).cast(dtype)};
}

}  // namespace

TEST_CASE("scale_norm: gradients") {
  for (const double epsilon : {1e-5, 0.1}) {
    const GradcheckResult result = gradcheck(scale_norm_with(epsilon), inputs(5, 7), {.names = {"x", "g"}});
    INFO(result.report);
    CHECK(result);
  }
  const GradcheckResult plain =
      gradcheck([](const std::vector<Tensor>& in) { return scale_norm(in[0], {}, 0.1); }, {gaussian({2, 3, 5}, "x")});
  INFO(plain.report);
  CHECK(plain);
}

TEST_CASE("scale_norm and its definition agree") {
  CHECK(difference(scale_norm_with(0.1), twin_with(0.1), inputs(2500, 15)) < 1e-12);
}

TEST_CASE("scale_norm: every row has length g, and epsilon stands under the root") {
  const Tensor x = Tensor::from<double>({2, 2}, {3, 4, -30, 40});
  const Tensor y = scale_norm(x, Tensor::from<double>({1}, {10}), 0);
  CHECK(y.at(0) == Approx(6));
  CHECK(y.at(1) == Approx(8));
  CHECK(y.at(2) == Approx(-6));
  CHECK(y.at(3) == Approx(8));
  CHECK(scale_norm(x, {}, 11).at(0) == Approx(0.5));  // 3 / sqrt(9 + 16 + 11)
}

TEST_CASE("scale_norm: the gradients that are wanted, and no others, come out the same") {
  CHECK(same_when_wanted_alone(scale_norm_with(0.1), inputs(70, 6)));
}

TEST_CASE("scale_norm in f32 keeps up with f64") {
  CHECK(difference_of_f32(scale_norm_with(1e-5), inputs(1000, 260)) < 1e-6);
}

TEST_CASE("scale_norm: the same bits on any number of threads") {
  CHECK(same_on_any_threads(scale_norm_with(1e-5), inputs(1003, 67, Dtype::f32)));
}

TEST_CASE("scale_norm: a row of zeros stays zero, and without epsilon is an error") {
  Tensor x = gaussian({2000, 6}, "x");
  for (Index j = 0; j < 6; ++j) x.set(1500 * 6 + j, 0);
  const Tensor y = scale_norm(x, {}, 0.1);
  for (Index j = 0; j < 6; ++j) CHECK(y.at(1500 * 6 + j) == 0);
  CHECK_THROWS_WITH(scale_norm(x, {}, 0),
                    "scale_norm: sum(x^2) + epsilon must not be 0, got 0 in row 1500; give an epsilon above 0");
}

TEST_CASE("scale_norm: errors") {
  const Tensor x = Tensor::zeros({4, 6}, Dtype::f32);
  CHECK_THROWS_WITH(scale_norm(x, {}, -1), "scale_norm: epsilon must not be negative, got -1");
  CHECK_THROWS_WITH(scale_norm(x, Tensor::zeros({6}, Dtype::f32), 0.1),
                    "scale_norm: g must be f32 [1] for x of shape [4, 6], got f32 [6]");
  CHECK_THROWS_WITH(scale_norm(x, Tensor::zeros({1}, Dtype::f64), 0.1),
                    "scale_norm: g must be f32 [1] for x of shape [4, 6], got f64 [1]");
  CHECK_THROWS_WITH(scale_norm(Tensor::zeros({4, 0}, Dtype::f32), {}, 0.1),
                    "scale_norm: the last axis must not be empty, got [4, 0]");
}
