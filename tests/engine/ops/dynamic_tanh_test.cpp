// Dynamic tanh against its definition written as plain loops, finite differences, and itself in float64.
#include "engine/ops/dynamic_tanh.h"

#include <cmath>

#include "engine/gradcheck.h"
#include "engine/ops/elementwise.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

Tensor run(const std::vector<Tensor>& in) { return dynamic_tanh(in[0], in[1], in[2], in[3]); }

Tensor twin(const std::vector<Tensor>& in) {
  const Tensor x = in[0].detach(), weight = in[2].detach();
  const double alpha = in[1].at(0);
  const Index features = x.columns();
  Tensor y = empty_like(x);
  for (Index i = 0; i < x.size(); ++i) {
    y.set(i, weight.at(i % features) * std::tanh(alpha * x.at(i)) + in[3].at(i % features));
  }
  return record("twin", {&in[0], &in[1], &in[2], &in[3]}, y, [=](const Tensor& dy, Gradients& into) {
    const auto add = [&](Index input, Index at, double value) { into[input].set(at, into[input].at(at) + value); };
    for (Index i = 0; i < x.size(); ++i) {
      const double slope = 1 / std::pow(std::cosh(alpha * x.at(i)), 2);  // the derivative of tanh by another formula
      add(0, i, dy.at(i) * weight.at(i % features) * slope * alpha);
      add(1, 0, dy.at(i) * weight.at(i % features) * slope * x.at(i));
      add(2, i % features, dy.at(i) * std::tanh(alpha * x.at(i)));
      add(3, i % features, dy.at(i));
    }
  });
}

std::vector<Tensor> inputs(Index rows, Index features, double deviation = 1, Dtype dtype = Dtype::f64) {
  return {gaussian({rows, features}, "x", 0.5, deviation).cast(dtype), Tensor::full({1}, dtype, 0.625),
          gaussian({features}, "weight", 1, 0.5).cast(dtype), gaussian({features}, "bias", dtype)};
}

}  // namespace

TEST_CASE("dynamic_tanh: gradients") {
  const GradcheckResult result = gradcheck(run, inputs(5, 7), {.names = {"x", "alpha", "weight", "bias"}});
  INFO(result.report);
  CHECK(result);
  const GradcheckResult plain = gradcheck([](const std::vector<Tensor>& in) { return dynamic_tanh(in[0], {}, {}, {}); },
                                          {gaussian({2, 3, 5}, "x")});
  INFO(plain.report);
  CHECK(plain);
}

TEST_CASE("dynamic_tanh and its definition agree") {
  CHECK(difference(run, twin, inputs(2500, 15)) < 1e-12);
  CHECK(difference(run, twin, inputs(101, 15, 30)) < 1e-12);
  CHECK(difference(run, twin, inputs(3, 700)) < 1e-12);  // several blocks of features
  // x both with and without a gradient that is added to.
  const auto twice = [](const TensorFunction& f) {
    return [=](const std::vector<Tensor>& in) {
      const Tensor other = scale(in[0], 2);
      return add(f(in), add(f({other, in[1], in[2], in[3]}), other));
    };
  };
  CHECK(difference(twice(run), twice(twin), inputs(3, 700)) < 1e-12);
}

TEST_CASE("dynamic_tanh far from zero is plus or minus the weight, and lets NaN through") {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
    // Vector instructions take the first elements, plain ones the last.
    Tensor x = Tensor::full({1, 35}, dtype, 1e30);
    const Tensor weight = Tensor::full({35}, dtype, 2), y = dynamic_tanh(x, {}, weight, {});
    x.fill(-1e30);
    const Tensor negative = dynamic_tanh(x, {}, weight, {});
    x.fill(std::nan(""));
    const Tensor nan = dynamic_tanh(x, {}, weight, {});
    for (Index j = 0; j < 35; ++j) {
      CHECK(y.at(j) == Approx(2));
      CHECK(negative.at(j) == Approx(-2));
      CHECK(std::isnan(nan.at(j)));
    }
  }
}

TEST_CASE("dynamic_tanh: the gradients that are wanted, and no others, come out the same") {
  CHECK(same_when_wanted_alone(run, inputs(70, 6)));
  CHECK(same_when_wanted_alone(run, inputs(3, 700)));
}

TEST_CASE("dynamic_tanh in f32 keeps up with f64") {
  CHECK(difference_of_f32(run, inputs(1000, 263)) < 1e-6);
  CHECK(difference_of_f32(run, inputs(20000, 16)) < 1e-6);
}

TEST_CASE("dynamic_tanh: the same bits on any number of threads") {
  CHECK(same_on_any_threads(run, inputs(1003, 67, 1, Dtype::f32)));
}

TEST_CASE("dynamic_tanh: errors") {
  const Tensor x = Tensor::zeros({4, 6}, Dtype::f32);
  CHECK_THROWS_WITH(dynamic_tanh(x, Tensor::zeros({6}, Dtype::f32), {}, {}),
                    "dynamic_tanh: alpha must be f32 [1] for x of shape [4, 6], got f32 [6]");
  CHECK_THROWS_WITH(dynamic_tanh(x, {}, Tensor::zeros({5}, Dtype::f32), {}),
                    "dynamic_tanh: weight must be f32 [6] for x of shape [4, 6], got f32 [5]");
  CHECK_THROWS_WITH(dynamic_tanh(x, {}, {}, Tensor::zeros({6}, Dtype::f64)),
                    "dynamic_tanh: bias must be f32 [6] for x of shape [4, 6], got f64 [6]");
}
