// Element-wise ops.
#include "engine/ops/elementwise.h"

#include <cmath>
#include <limits>
#include <utility>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

struct Case {
  const char* name;
  TensorFunction f;
  std::vector<Tensor> inputs;
};

std::vector<Case> cases(Index rows, Index columns) {
  const Tensor a = gaussian({rows, columns}, "a"), b = gaussian({rows, columns}, "b"),
               bias = gaussian({columns}, "bias");
  return {
      {"add", [](const std::vector<Tensor>& in) { return add(in[0], in[1]); }, {a, b}},
      {"add(x, x)", [](const std::vector<Tensor>& in) { return add(in[0], in[0]); }, {a}},
      {"subtract", [](const std::vector<Tensor>& in) { return subtract(in[0], in[1]); }, {a, b}},
      {"multiply", [](const std::vector<Tensor>& in) { return multiply(in[0], in[1]); }, {a, b}},
      {"multiply(x, x)", [](const std::vector<Tensor>& in) { return multiply(in[0], in[0]); }, {a}},
      {"add_bias", [](const std::vector<Tensor>& in) { return add_bias(in[0], in[1]); }, {a, bias}},
      {"scale", [](const std::vector<Tensor>& in) { return scale(in[0], -1.7); }, {a}},
      {"relu", [](const std::vector<Tensor>& in) { return relu(in[0]); }, {a}},
      {"gelu", [](const std::vector<Tensor>& in) { return gelu(in[0]); }, {a}},
  };
}

}  // namespace

TEST_CASE("element-wise ops: gradients") {
  for (const Case& c : cases(5, 7)) {
    const auto result = gradcheck(c.f, c.inputs);
    INFO(c.name << '\n' << result.report);
    CHECK(result);
  }
}

TEST_CASE("element-wise ops: f32 against f64, threads") {
  for (const Case& c : cases(300, 257)) {
    INFO(c.name);
    CHECK(difference_of_f32(c.f, c.inputs) < 5e-7);
    std::vector<Tensor> small;
    for (const Tensor& input : c.inputs) small.push_back(input.cast(Dtype::f32));
    CHECK(same_on_any_threads(c.f, small));
  }
}

TEST_CASE("element-wise ops: values") {
  const Tensor a = Tensor::from<float>({2, 2}, {1, -2, 3, 0}), b = Tensor::from<float>({2, 2}, {5, 7, -1, 2});
  CHECK(same_bits(add(a, b), Tensor::from<float>({2, 2}, {6, 5, 2, 2})));
  CHECK(same_bits(subtract(a, b), Tensor::from<float>({2, 2}, {-4, -9, 4, -2})));
  CHECK(same_bits(multiply(a, b), Tensor::from<float>({2, 2}, {5, -14, -3, 0})));
  CHECK(same_bits(add_bias(a, Tensor::from<float>({2}, {10, 20})), Tensor::from<float>({2, 2}, {11, 18, 13, 20})));
  CHECK(same_bits(scale(a, 0.5), Tensor::from<float>({2, 2}, {0.5f, -1, 1.5f, 0})));
  CHECK(same_bits(relu(a), Tensor::from<float>({2, 2}, {1, 0, 3, 0})));
  CHECK(add(Tensor::zeros({0, 3}, Dtype::f32), Tensor::zeros({0, 3}, Dtype::f32)).shape() == Shape{0, 3});
}

TEST_CASE("gelu: x Phi(x), also in the tails") {
  // Phi at 1, -1, 2, -3 to 15 digits (any table of the normal distribution).
  const std::vector<std::pair<double, double>> table = {
      {0, 0.5}, {1, 0.841344746068543}, {-1, 0.158655253931457}, {2, 0.977249868051821}, {-3, 0.00134989803163009}};
  for (const auto& entry : table) {
    const double x = entry.first, phi = entry.second;
    CHECK(gelu(Tensor::scalar(x, Dtype::f64)).item() == Approx(x * phi).epsilon(1e-13));
    CHECK(gelu(Tensor::scalar(x, Dtype::f32)).item() == Approx(x * phi).epsilon(5e-7));
  }
  // Every path of the vector code: f32 on a fine grid against f64.
  const Index n = 20001;
  Tensor x = Tensor::empty({n}, Dtype::f64);
  for (Index i = 0; i < n; ++i) x.set(i, static_cast<double>(i - n / 2) * 1e-3);
  x = x.cast(Dtype::f32).cast(Dtype::f64);
  const Tensor got = gelu(x.cast(Dtype::f32)), expected = gelu(x);
  double worst = 0;
  for (Index i = 0; i < n; ++i) {
    worst = worse(worst, std::abs(got.at(i) - expected.at(i)) / (std::abs(expected.at(i)) + 1e-30));
  }
  CHECK(worst < 3e-6);  // relative, down to values of 1e-22 at -10, where exp(-50) feels the rounding of 50
  CHECK(std::abs(gelu(Tensor::scalar(-50, Dtype::f32)).item()) < 1e-30);
  CHECK(gelu(Tensor::scalar(50, Dtype::f32)).item() == 50);
}

TEST_CASE("relu: derivative 0 at 0, NaN passes, and the observer hears of the kink") {
  const Tensor x = Tensor::from<double>({3}, {0, 2, -2}).require_gradient();
  {
    Tape tape;
    tape.backward(relu(x), Tensor::full({3}, Dtype::f64, 1));
  }
  CHECK(same_bits(x.gradient(), Tensor::from<double>({3}, {0, 1, 0})));
  CHECK(std::isnan(relu(Tensor::scalar(std::numeric_limits<double>::quiet_NaN(), Dtype::f32)).item()));

  struct Listener final : Observer {
    void kink(const Tensor& input) override { heard += input.size(); }
    Index heard = 0;
  } listener;
  Tape tape(&listener);
  relu(x);
  CHECK(listener.heard == 3);
}

TEST_CASE("element-wise ops: errors name the op and both shapes") {
  const Tensor a = Tensor::zeros({2, 3}, Dtype::f32), b = Tensor::zeros({3, 2}, Dtype::f32);
  REQUIRE_THROWS_WITH(
      add(a, b), ContainsSubstring("add: both operands must have one shape and dtype, got f32 [2, 3] and f32 [3, 2]"));
  REQUIRE_THROWS_WITH(subtract(a, a.cast(Dtype::f64)),
                      ContainsSubstring("subtract:") && ContainsSubstring("f64 [2, 3]"));
  REQUIRE_THROWS_WITH(multiply(a, b), ContainsSubstring("multiply:"));
  REQUIRE_THROWS_WITH(add_bias(a, Tensor::zeros({2}, Dtype::f32)),
                      ContainsSubstring("add_bias: bias must be f32 [3] for x [2, 3], got f32 [2]"));
  REQUIRE_THROWS_WITH(relu(Tensor::zeros({2}, Dtype::i32)), ContainsSubstring("relu: takes f32 or f64, got i32"));
  REQUIRE_THROWS_WITH(gelu(Tensor()), ContainsSubstring("used before it was given a value"));
}
