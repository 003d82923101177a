// Linear maps and matrix products.
#include "engine/ops/product.h"

#include "engine/gradcheck.h"
#include "engine/storage.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

Tensor linear_of(const std::vector<Tensor>& in) { return linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor()); }

}  // namespace

TEST_CASE("linear: values") {
  const Tensor x = Tensor::from<double>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor weight = Tensor::from<double>({2, 3}, {1, 0, -1, 2, 1, 0});
  const Tensor bias = Tensor::from<double>({2}, {10, 20});
  CHECK(same_bits(linear(x, weight, bias), Tensor::from<double>({2, 2}, {8, 24, 8, 33})));
  CHECK(same_bits(linear(x, weight), Tensor::from<double>({2, 2}, {-2, 4, -2, 13})));
  CHECK(linear(x.reshape({1, 2, 3}), weight).shape() == Shape{1, 2, 2});
  CHECK(linear(Tensor::zeros({0, 3}, Dtype::f32), weight.cast(Dtype::f32)).shape() == Shape{0, 2});
}

TEST_CASE("linear: gradients") {
  const Tensor x = gaussian({2, 3, 5}, "x"), weight = gaussian({7, 5}, "weight"), bias = gaussian({7}, "bias");
  const auto with_bias = gradcheck(linear_of, {x, weight, bias}, {.names = {"x", "weight", "bias"}});
  INFO(with_bias.report);
  CHECK(with_bias);
  const auto without = gradcheck(linear_of, {x, weight});
  INFO(without.report);
  CHECK(without);
}

TEST_CASE("linear: an input that leads to no leaf costs and gets nothing") {
  const Tensor x = gaussian({3, 4}, "x");
  const Tensor weight = gaussian({2, 4}, "weight").require_gradient();
  Tape tape;
  const Tensor y = linear(x, weight);
  tape.backward(y, Tensor::full({3, 2}, Dtype::f64, 1));
  for (Index j = 0; j < 4; ++j) {
    CHECK(weight.gradient().at(j) == Approx(x.at(j) + x.at(4 + j) + x.at(8 + j)).epsilon(1e-14));
  }
}

TEST_CASE("matmul: values and gradients in all four ways") {
  const Tensor plain = matmul(Tensor::from<double>({1, 2}, {3, 4}), Tensor::from<double>({2, 1}, {10, 1}));
  CHECK(same_bits(plain, Tensor::from<double>({1, 1}, {34})));
  const Tensor expected = matmul(gaussian({3, 5}, "a"), gaussian({5, 4}, "b"));
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      INFO("transposed: a " << ta << ", b " << tb);
      const Tensor a = gaussian(ta ? Shape{5, 3} : Shape{3, 5}, "a");
      const Tensor b = gaussian(tb ? Shape{4, 5} : Shape{5, 4}, "b");
      const auto result = gradcheck([=](const std::vector<Tensor>& in) { return matmul(in[0], in[1], ta, tb); }, {a, b},
                                    {.names = {"a", "b"}});
      INFO(result.report);
      CHECK(result);
      if (!ta && !tb) CHECK(same_bits(matmul(a, b), expected));
      for (Index i = 0; i < 3; ++i) {
        for (Index j = 0; j < 4; ++j) {
          double sum = 0;
          for (Index k = 0; k < 5; ++k) sum += a.at(ta ? k * 3 + i : i * 5 + k) * b.at(tb ? j * 5 + k : k * 4 + j);
          CHECK(matmul(a, b, ta, tb).at(i * 4 + j) == Approx(sum).epsilon(1e-13).margin(1e-14));
        }
      }
    }
  }
}

TEST_CASE("products of a tensor with itself") {
  const auto square =
      gradcheck([](const std::vector<Tensor>& in) { return matmul(in[0], in[0]); }, {gaussian({4, 4}, "x")});
  INFO(square.report);
  CHECK(square);
  const auto gram =
      gradcheck([](const std::vector<Tensor>& in) { return linear(in[0], in[0]); }, {gaussian({3, 5}, "x")});
  INFO(gram.report);
  CHECK(gram);
}

TEST_CASE("products: f32 against f64, threads") {
  const std::vector<Tensor> inputs = {gaussian({300, 70}, "x", Dtype::f32), gaussian({130, 70}, "weight", Dtype::f32),
                                      gaussian({130}, "bias", Dtype::f32)};
  CHECK(difference_of_f32(linear_of, inputs) < 2e-6);
  CHECK(same_on_any_threads(linear_of, inputs));
  const std::vector<Tensor> long_sum = {gaussian({5000, 20}, "x", Dtype::f32),
                                        gaussian({30, 20}, "weight", Dtype::f32)};
  CHECK(same_on_any_threads(linear_of, long_sum));  // the weight gradient sums over 5000 rows
}

TEST_CASE("products: errors name the op and both shapes") {
  const Tensor x = Tensor::zeros({2, 3}, Dtype::f32), weight = Tensor::zeros({5, 4}, Dtype::f32);
  REQUIRE_THROWS_WITH(linear(x, weight),
                      ContainsSubstring("linear:") && ContainsSubstring("x [2, 3] and weight [5, 4]"));
  REQUIRE_THROWS_WITH(linear(x, Tensor::zeros({5, 3}, Dtype::f64)), ContainsSubstring("one dtype, got f32 and f64"));
  REQUIRE_THROWS_WITH(linear(x, Tensor::zeros({3}, Dtype::f32)), ContainsSubstring("weight must have rank 2"));
  REQUIRE_THROWS_WITH(linear(x, Tensor::zeros({5, 3}, Dtype::f32), Tensor::zeros({3}, Dtype::f32)),
                      ContainsSubstring("bias must be f32 [5] for weight [5, 3], got f32 [3]"));
  REQUIRE_THROWS_WITH(matmul(x, weight),
                      ContainsSubstring("matmul: the inner extents must be equal, got [2, 3] times [5, 4]"));
  REQUIRE_THROWS_WITH(matmul(x, weight, true, true), ContainsSubstring("[2, 3] transposed times [5, 4] transposed"));
  REQUIRE_THROWS_WITH(matmul(x, Tensor::zeros({3}, Dtype::f32)),
                      ContainsSubstring("matmul: operands must have rank 2"));
  REQUIRE_THROWS_WITH(matmul(Tensor::zeros({2, 2}, Dtype::i32), Tensor::zeros({2, 2}, Dtype::i32)),
                      ContainsSubstring("matmul: takes f32 or f64, got i32"));
}
