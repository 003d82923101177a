// Dropout: its share, its scale, and that the mask is a function of the stream alone.
#include "engine/ops/dropout.h"

#include <cmath>
#include <limits>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

const RandomStream stream = random_stream(7, "encoder.layers.0.dropout", 3, 1);

Index zeros_in(const Tensor& x) {
  Index count = 0;
  for (Index i = 0; i < x.size(); ++i) count += x.at(i) == 0;
  return count;
}

}  // namespace

TEST_CASE("dropout: gradients") {
  const auto result =
      gradcheck([](const std::vector<Tensor>& in) { return dropout(in[0], 0.3, stream); }, {gaussian({9, 11}, "x")});
  INFO(result.report);
  CHECK(result);
}

TEST_CASE("dropout: drops the share it is told to and scales what stays") {
  const Index n = 400000;
  const Tensor ones = Tensor::full({n}, Dtype::f32, 1);
  for (const double probability : {0.01, 0.1, 0.5, 0.9}) {
    const Tensor y = dropout(ones, probability, stream);
    const double deviation = std::sqrt(probability * (1 - probability) * static_cast<double>(n));
    CHECK(std::abs(static_cast<double>(zeros_in(y)) - probability * static_cast<double>(n)) < 4 * deviation);
    const float kept = static_cast<float>(1 / (1 - probability));
    for (const float value : y.values<float>()) {
      if (value != 0 && value != kept) FAIL("neither 0 nor 1 / (1 - p): " << value);
    }
  }
}

TEST_CASE("dropout: neighbours are dropped independently") {
  const Index n = 400000;
  const Tensor y = dropout(Tensor::full({n}, Dtype::f32, 1), 0.5, stream);
  for (const Index distance : {1, 2, 4, 16, 64, 1024}) {
    Index both = 0;
    for (Index i = 0; i + distance < n; ++i) both += y.at(i) == 0 && y.at(i + distance) == 0;
    const double expected = static_cast<double>(n - distance) / 4;
    CHECK(std::abs(static_cast<double>(both) - expected) < 5 * std::sqrt(expected));
  }
}

TEST_CASE("dropout: the mask is a function of the stream and the element") {
  const Tensor ones = Tensor::full({5000}, Dtype::f32, 1);
  const Tensor y = dropout(ones, 0.4, stream);
  CHECK(same_bits(dropout(ones, 0.4, stream), y));
  CHECK(same_bits(dropout(ones.reshape({50, 100}), 0.4, stream).reshape({5000}), y));
  CHECK(same_bits(dropout(ones.cast(Dtype::f64), 0.4, stream).cast(Dtype::f32), y));
  // A shorter tensor sees the beginning of the same mask.
  const Tensor shorter = dropout(Tensor::full({3001}, Dtype::f32, 1), 0.4, stream);
  for (Index i = 0; i < shorter.size(); ++i) REQUIRE(shorter.at(i) == y.at(i));
  // Another name, step or part is another mask.
  CHECK_FALSE(same_bits(dropout(ones, 0.4, random_stream(7, "encoder.layers.1.dropout", 3, 1)), y));
  CHECK_FALSE(same_bits(dropout(ones, 0.4, random_stream(7, "encoder.layers.0.dropout", 4, 1)), y));
  CHECK_FALSE(same_bits(dropout(ones, 0.4, random_stream(7, "encoder.layers.0.dropout", 3, 2)), y));
  CHECK_FALSE(same_bits(dropout(ones, 0.4, random_stream(8, "encoder.layers.0.dropout", 3, 1)), y));
}

TEST_CASE("dropout: backward draws the mask of the forward, on any number of threads") {
  const TensorFunction f = [](const std::vector<Tensor>& in) { return dropout(in[0], 0.25, stream); };
  const Tensor x = Tensor::full({300, 301}, Dtype::f32, 1);
  const auto results = value_and_gradients(f, {x});
  const Tensor cotangent = gaussian(x.shape(), "cotangent", Dtype::f32);
  for (Index i = 0; i < x.size(); ++i)
    REQUIRE(results[1].at(i) == static_cast<float>(results[0].at(i) * cotangent.at(i)));
  CHECK(same_on_any_threads(f, {gaussian({300, 301}, "x", Dtype::f32)}));
  CHECK(difference_of_f32(f, {gaussian({300, 301}, "x")}) < 2e-7);
}

TEST_CASE("dropout: the ends of its range") {
  const Tensor x = gaussian({10}, "x", Dtype::f32);
  CHECK(dropout(x, 0, stream).raw() == x.raw());
  CHECK(zeros_in(dropout(x, 1 - 1e-12, stream)) == 10);
  CHECK(dropout(Tensor::zeros({0, 4}, Dtype::f32), 0.5, stream).size() == 0);
  for (const double wrong : {-0.1, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    REQUIRE_THROWS_WITH(dropout(x, wrong, stream), ContainsSubstring("dropout: probability must be in [0, 1), got "));
  }
}
