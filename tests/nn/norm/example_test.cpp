// The norm that nn/norm/README.md adds as an example, registered in this program as the page says (tests/CMakeLists.txt
// does it): every_norm_test.cpp runs over it, and here are its values.
#include "nn/norm/norm.h"
#include "tests/nn/support.h"

using namespace normlab;

TEST_CASE("the README's norm: each token over its mean magnitude, times weight") {
  const auto norm = NormConfig("l1").make(init_f64("norm"), 4, 2);
  Tensor weight = norm->parameters().at(0).tensor;
  for (Index j = 0; j < 4; ++j) weight.set(j, static_cast<double>(j + 1));
  const Tensor x = Tensor::from<double>({2, 4}, std::vector<double>{1, -3, 0, 4, 5, 5, -5, -5});
  const Tensor y = norm->forward(x, Rows::single(2), {});
  const std::vector<double> sizes = {2 + 1e-5, 5 + 1e-5};  // mean magnitude + epsilon
  for (Index i = 0; i < 8; ++i) {
    const double size = sizes[static_cast<std::size_t>(i / 4)];
    CHECK(y.at(i) == Approx(static_cast<double>(i % 4 + 1) * x.at(i) / size).epsilon(1e-14));
  }
}

TEST_CASE("the README's norm: a weight of another shape is told with both") {
  const auto norm = NormConfig("l1").make(init_f64("norm"), 4, 2);
  CHECK_THROWS_WITH(norm->forward(random_tensor({3, 5}, "x"), Rows::single(3), {}),
                    ContainsSubstring("l1_norm: weight must be f64 [5] for x of shape [3, 5], got f64 [4]"));
}
