// Layer norm against its definition written as plain loops, finite differences, and itself in float64.
#include "engine/ops/layer_norm.h"

#include <cmath>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;
using namespace normlab::testing;

namespace {

Function layer_norm_with(double epsilon) {
  return [=](const std::vector<Tensor>& in) { return layer_norm(in[0], in[1], in[2], epsilon); };
}

// The twin: the definition, and for the gradient the Jacobian of n written out in full,
// dn_i / dx_j = r * ([i = j] - 1 / F - n_i n_j / F).
Function twin_with(double epsilon) {
  return [=](const std::vector<Tensor>& in) {
    const Tensor x = in[0].detach(), weight = in[1].detach(), bias = in[2].detach();
    const Index rows = x.rows(), features = x.columns();
    const auto count = static_cast<double>(features);
    Tensor y = empty_like(x), n = empty_like(x), r = Tensor::empty({rows}, Dtype::f64);
    for (Index i = 0; i < rows; ++i) {
      double mean = 0, variance = 0;
      for (Index j = 0; j < features; ++j) mean += x.at(i * features + j) / count;
      for (Index j = 0; j < features; ++j) variance += std::pow(x.at(i * features + j) - mean, 2) / count;
      r.set(i, 1 / std::sqrt(variance + epsilon));
      for (Index j = 0; j < features; ++j) {
        n.set(i * features + j, (x.at(i * features + j) - mean) * r.at(i));
        y.set(i * features + j, weight.at(j) * n.at(i * features + j) + bias.at(j));
      }
    }
    return record("twin", {&in[0], &in[1], &in[2]}, y, [=](const Tensor& dy, Gradients& into) {
      const auto add = [&](Index input, Index at, double value) {
        into[input].set(at, into[input].at(at) + value);
      };
      for (Index i = 0; i < rows; ++i) {
        for (Index a = 0; a < features; ++a) {
          const double dy_a = dy.at(i * features + a), n_a = n.at(i * features + a);
          add(1, a, dy_a * n_a);
          add(2, a, dy_a);
          for (Index b = 0; b < features; ++b) {
            const double jacobian = r.at(i) * ((a == b) - 1 / count - n_a * n.at(i * features + b) / count);
            add(0, i * features + b, dy_a * weight.at(a) * jacobian);
          }
        }
      }
    });
  };
}

std::vector<Tensor> inputs(Index rows, Index features, double mean = 0, Dtype dtype = Dtype::f64) {
  return {gaussian({rows, features}, "x", mean, 1, dtype), gaussian({features}, "weight", 1, 0.5, dtype),
          gaussian({features}, "bias", 0, 1, dtype)};
}

}  // namespace

TEST_CASE("layer_norm: gradients") {
  for (const double epsilon : {1e-5, 0.1}) {
    for (const Index features : {2, 7, 33}) {
      const GradcheckResult result =
          gradcheck(layer_norm_with(epsilon), inputs(5, features), {.names = {"x", "weight", "bias"}});
      INFO(result.report);
      CHECK(result);
    }
  }
  const GradcheckResult plain = gradcheck(
      [](const std::vector<Tensor>& in) { return layer_norm(in[0], {}, {}, 0.1); }, {gaussian({2, 3, 5}, "x")});
  INFO(plain.report);
  CHECK(plain);
}

TEST_CASE("layer_norm and its definition agree") {
  for (const double epsilon : {1e-5, 0.1}) {
    CHECK(relative_difference(layer_norm_with(epsilon), twin_with(epsilon), inputs(11, 13)) < 1e-12);
  }
}

TEST_CASE("layer_norm: epsilon stands under the root") {
  // Deviation 3 about 5, variance 9: (8 - 5) / sqrt(9 + 7) = 0.75.
  const Tensor x = Tensor::from<double>({1, 2}, {2, 8});
  const Tensor y = layer_norm(x, {}, {}, 7);
  CHECK(y.at(0) == -0.75);
  CHECK(y.at(1) == 0.75);
}

TEST_CASE("layer_norm: a row of one value gives the bias, and no gradient to x") {
  const std::vector<Tensor> in = {Tensor::full({2, 5}, Dtype::f32, 1e4), gaussian({5}, "weight").cast(Dtype::f32),
                                  gaussian({5}, "bias").cast(Dtype::f32)};
  const auto results = value_and_gradients(layer_norm_with(1e-5), in);
  for (Index i = 0; i < 10; ++i) CHECK(results[0].at(i) == in[2].at(i % 5));
  CHECK(results[1].all_finite());
}

TEST_CASE("layer_norm in f32 keeps up with f64, at a mean of 1e4 too") {
  for (const double mean : {0.0, 10.0, 1e4, -1e4}) {
    CHECK(f32_against_f64(layer_norm_with(1e-5), inputs(40, 257, mean, Dtype::f32)) < 1e-5);
  }
  // The first element, which is taken off, may lie far away from the others.
  std::vector<Tensor> outlier = inputs(40, 257, 0, Dtype::f32);
  for (Index i = 0; i < 40; ++i) outlier[0].set(i * 257, 1e4);
  CHECK(f32_against_f64(layer_norm_with(1e-5), outlier) < 1e-5);
}

TEST_CASE("layer_norm: the same bits on any number of threads") {
  CHECK(same_on_any_threads(layer_norm_with(1e-5), inputs(1003, 67, 0, Dtype::f32)));
}

TEST_CASE("layer_norm: errors") {
  const Tensor x = Tensor::zeros({4, 6}, Dtype::f32);
  REQUIRE_THROWS_WITH(layer_norm(x, Tensor::zeros({5}, Dtype::f32), {}, 0.1),
                      ContainsSubstring("layer_norm: weight must be f32 [6] for x of shape [4, 6], got f32 [5]"));
  REQUIRE_THROWS_WITH(layer_norm(x, {}, Tensor::zeros({6}, Dtype::f64), 0.1),
                      ContainsSubstring("layer_norm: bias must be f32 [6] for x of shape [4, 6], got f64 [6]"));
  REQUIRE_THROWS_WITH(layer_norm(x, {}, {}, -1), ContainsSubstring("layer_norm: epsilon must not be negative, got -1"));
}
