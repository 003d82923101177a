// The penalty on batch statistics: by hand, and by finite differences.
#include "engine/ops/statistics_penalty.h"

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

TEST_CASE("statistics_penalty: by hand") {
  // Three tokens in ghost batches of at most two: {1} and {5, 9}, means 1 and 7, variances 0 and 4.
  const Tensor x = Tensor::from<double>({4, 1}, {1, 5, 9, 100});
  const Rows rows({0, 4}, {1, 1, 1, 0});
  const Tensor mean = Tensor::full({1}, Dtype::f64, 2), variance = Tensor::full({1}, Dtype::f64, 1);
  CHECK(statistics_penalty(x, rows, 2, mean, variance, 10, 1).item() == 10 * (1 + 25) + (1 + 3));
}

TEST_CASE("statistics_penalty: gradients") {
  const Tensor mean = gaussian({3}, "mean"), variance = Tensor::full({3}, Dtype::f64, 0.7);
  for (const Index tokens : {0, 3}) {
    const GradcheckResult result = gradcheck(
        [&](const std::vector<Tensor>& in) {
          return statistics_penalty(in[0], Rows({0, 3, 8}, {1, 1, 0, 1, 1, 1, 1, 0}), tokens, mean, variance, 0.3, 0.2);
        },
        {gaussian({8, 3}, "x")});
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("statistics_penalty: errors") {
  const Tensor x = Tensor::zeros({2, 3}, Dtype::f64), wrong = Tensor::zeros({2}, Dtype::f64);
  CHECK_THROWS_WITH(statistics_penalty(x, Rows::single(2), 0, wrong, wrong, 1, 1),
                    ContainsSubstring("statistics_penalty: mean and variance must be [3] for x of shape [2, 3]"));
}
