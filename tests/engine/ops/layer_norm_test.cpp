// Layer norm and group norm against their definition written as plain loops, finite differences, and itself in float64.
#include "engine/ops/layer_norm.h"

#include <cmath>

#include "engine/gradcheck.h"
#include "engine/ops/elementwise.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

TensorFunction layer_norm_with(double epsilon) {
  return [=](const std::vector<Tensor>& in) { return layer_norm(in[0], in[1], in[2], epsilon); };
}

TensorFunction group_norm_with(Index groups, double epsilon) {
  return [=](const std::vector<Tensor>& in) { return group_norm(in[0], in[1], in[2], groups, epsilon); };
}

// The twin: the definition, and for the gradient the Jacobian of n written out in full,
// dn_a / dx_b = r * ([a = b] - 1 / F - n_a n_b / F) within a run of F features, 0 between runs.
TensorFunction twin_with(Index groups, double epsilon) {
  return [=](const std::vector<Tensor>& in) {
    const Tensor x = in[0].detach(), weight = in[1].detach(), bias = in[2].detach();
    const Index features = x.columns(), run = features / groups;
    const auto count = static_cast<double>(run);
    Tensor y = empty_like(x), n = empty_like(x), r = empty_like(x);
    for (Index i = 0; i < x.size(); ++i) {
      const Index begin = i / run * run;
      double mean = 0, variance = 0;
      for (Index j = begin; j < begin + run; ++j) mean += x.at(j) / count;
      for (Index j = begin; j < begin + run; ++j) variance += std::pow(x.at(j) - mean, 2) / count;
      r.set(i, 1 / std::sqrt(variance + epsilon));
      n.set(i, (x.at(i) - mean) * r.at(i));
      y.set(i, weight.at(i % features) * n.at(i) + bias.at(i % features));
    }
    return record("twin", {&in[0], &in[1], &in[2]}, y, [=](const Tensor& dy, Gradients& into) {
      const auto add = [&](Index input, Index at, double value) { into[input].set(at, into[input].at(at) + value); };
      for (Index a = 0; a < x.size(); ++a) {
        add(1, a % features, dy.at(a) * n.at(a));
        add(2, a % features, dy.at(a));
        for (Index b = a / run * run; b < (a / run + 1) * run; ++b) {
          const double jacobian = r.at(a) * ((a == b) - 1 / count - n.at(a) * n.at(b) / count);
          add(0, b, dy.at(a) * weight.at(a % features) * jacobian);
        }
      }
    });
  };
}

std::vector<Tensor> inputs(Index rows, Index features, double mean = 0, Dtype dtype = Dtype::f64) {
  return {gaussian({rows, features}, "x", mean, 1).cast(dtype), gaussian({features}, "weight", 1, 0.5).cast(dtype),
          gaussian({features}, "bias", dtype)};
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
  const GradcheckResult plain = gradcheck([](const std::vector<Tensor>& in) { return layer_norm(in[0], {}, {}, 0.1); },
                                          {gaussian({2, 3, 5}, "x")});
  INFO(plain.report);
  CHECK(plain);
}

TEST_CASE("group_norm: gradients") {
  for (const Index groups : {1, 3}) {
    const GradcheckResult result =
        gradcheck(group_norm_with(groups, 0.1), inputs(5, 21), {.names = {"x", "weight", "bias"}});
    INFO(result.report);
    CHECK(result);
  }
  const GradcheckResult plain = gradcheck(
      [](const std::vector<Tensor>& in) { return group_norm(in[0], {}, {}, 2, 0.1); }, {gaussian({2, 3, 6}, "x")});
  INFO(plain.report);
  CHECK(plain);
}

TEST_CASE("layer_norm and group_norm agree with their definition") {  // rows enough for several pieces
  for (const double epsilon : {1e-5, 0.1}) {
    CHECK(difference(layer_norm_with(epsilon), twin_with(1, epsilon), inputs(2500, 13)) < 1e-12);
  }
  for (const Index groups : {1, 3, 5}) {
    CHECK(difference(group_norm_with(groups, 0.1), twin_with(groups, 0.1), inputs(2500, 15)) < 1e-12);
  }
  // Several blocks of a run; and x both with and without a gradient that is added to.
  for (const Index groups : {1, 2}) {
    const TensorFunction f = group_norm_with(groups, 0.1), twin = twin_with(groups, 0.1);
    const auto twice = [](const TensorFunction& g) {
      return [=](const std::vector<Tensor>& in) {
        const std::vector<Tensor> others{scale(in[0], 2), in[1], in[2]};
        return add(g(in), add(g(others), others[0]));
      };
    };
    CHECK(difference(f, twin, inputs(3, 1100)) < 1e-12);
    CHECK(difference(twice(f), twice(twin), inputs(3, 1100)) < 1e-12);
  }
}

TEST_CASE("group_norm of one group is layer_norm, to the bit") {
  const std::vector<Tensor> in = inputs(50, 24, 0, Dtype::f32);
  const auto group = value_and_gradients(group_norm_with(1, 1e-5), in);
  const auto layer = value_and_gradients(layer_norm_with(1e-5), in);
  for (std::size_t i = 0; i < layer.size(); ++i) CHECK(same_bits(group[i], layer[i]));
}

TEST_CASE("layer_norm: the gradients that are wanted, and no others, come out the same") {
  CHECK(same_when_wanted_alone(layer_norm_with(0.1), inputs(70, 6)));
  CHECK(same_when_wanted_alone(group_norm_with(2, 0.1), inputs(3, 1100)));
}

TEST_CASE("layer_norm: a row whose squares are too large becomes NaN, not the bias") {
  const Tensor x = Tensor::from<float>({1, 2}, {-1e20f, 1e20f});
  CHECK(std::isnan(layer_norm(x, {}, {}, 1e-5).at(0)));
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

TEST_CASE("layer_norm and group_norm: a run of one value without epsilon is an error that names the row") {
  Tensor x = gaussian({2000, 6}, "x", Dtype::f32);
  for (Index j = 0; j < 3; ++j) x.set(1500 * 6 + j, 0.3);
  CHECK(layer_norm(x, {}, {}, 0).all_finite());
  CHECK_THROWS_WITH(group_norm(x, {}, {}, 2, 0),
                    "group_norm: variance + epsilon must not be 0, got 0 in row 1500; give an epsilon above 0");
  for (Index j = 3; j < 6; ++j) x.set(1500 * 6 + j, 0.3);
  CHECK_THROWS_WITH(layer_norm(x, {}, {}, 0),
                    "layer_norm: variance + epsilon must not be 0, got 0 in row 1500; give an epsilon above 0");
  x.set(1500 * 6, std::nan(""));  // is no such error: it is for the trainer to see
  CHECK(std::isnan(layer_norm(x, {}, {}, 0).at(1500 * 6)));
}

TEST_CASE("layer_norm in f32 keeps up with f64, at a mean of 1e4 too") {
  for (const double mean : {0.0, 10.0, 1e4, -1e4}) {
    CHECK(difference_of_f32(layer_norm_with(1e-5), inputs(40, 257, mean)) < 1e-5);
  }
  // The first element, which is taken off, may lie far away from the others.
  std::vector<Tensor> outlier = inputs(40, 257);
  for (Index i = 0; i < 40; ++i) outlier[0].set(i * 257, 1e4);
  CHECK(difference_of_f32(layer_norm_with(1e-5), outlier) < 1e-5);
}

TEST_CASE("group_norm in f32 keeps up with f64; sums over many rows lose no more than those over few") {
  CHECK(difference_of_f32(group_norm_with(4, 1e-5), inputs(40, 260, 1e4)) < 1e-5);
  CHECK(difference_of_f32(group_norm_with(4, 1e-5), inputs(20000, 16)) < 1e-6);
}

TEST_CASE("layer_norm and group_norm: the same bits on any number of threads") {
  CHECK(same_on_any_threads(layer_norm_with(1e-5), inputs(1003, 67, 0, Dtype::f32)));
  CHECK(same_on_any_threads(group_norm_with(3, 1e-5), inputs(1003, 69, 0, Dtype::f32)));
}

TEST_CASE("layer_norm and group_norm: errors") {
  const Tensor x = Tensor::zeros({4, 6}, Dtype::f32);
  REQUIRE_THROWS_WITH(layer_norm(x, Tensor::zeros({5}, Dtype::f32), {}, 0.1),
                      ContainsSubstring("layer_norm: weight must be f32 [6] for x of shape [4, 6], got f32 [5]"));
  REQUIRE_THROWS_WITH(layer_norm(x, {}, Tensor::zeros({6}, Dtype::f64), 0.1),
                      ContainsSubstring("layer_norm: bias must be f32 [6] for x of shape [4, 6], got f64 [6]"));
  REQUIRE_THROWS_WITH(layer_norm(x, {}, {}, -1), ContainsSubstring("layer_norm: epsilon must not be negative, got -1"));
  REQUIRE_THROWS_WITH(group_norm(x, Tensor::zeros({5}, Dtype::f32), {}, 2, 0.1),
                      ContainsSubstring("group_norm: weight must be f32 [6] for x of shape [4, 6], got f32 [5]"));
  for (const Index groups : {4, 0, -1}) {
    REQUIRE_THROWS_WITH(group_norm(x, {}, {}, groups, 0.1),
                        ContainsSubstring(text("group_norm: groups must divide the features, got ", groups,
                                               " groups and x of shape [4, 6]")));
  }
}
