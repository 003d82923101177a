// Dropout: its share, its scale, and that the mask is a function of the stream alone; and what it is fused with,
// against the ops one by one.
#include "engine/ops/dropout.h"

#include <cmath>
#include <limits>

#include "engine/gradcheck.h"
#include "engine/ops/elementwise.h"
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

// The fused ops and their composed twins. What `scaled` returns is held by nobody, and nobody holds the gradient that
// it passes on, so that forward and backward of the fused ones write in place; the twins are given leaves, which they
// leave alone.
Tensor scaled(const Tensor& x) { return scale(x, 1); }

TensorFunction fused_sum(double probability) {
  return [=](const std::vector<Tensor>& in) {
    return scaled(add_dropout(scaled(in[0]), scaled(in[1]), probability, stream));
  };
}
TensorFunction composed_sum(double probability) {
  return [=](const std::vector<Tensor>& in) { return add(in[0], dropout(in[1], probability, stream)); };
}
TensorFunction fused_relu(double probability) {
  return [=](const std::vector<Tensor>& in) { return scaled(relu_dropout(scaled(in[0]), probability, stream)); };
}
TensorFunction composed_relu(double probability) {
  return [=](const std::vector<Tensor>& in) { return dropout(relu(in[0]), probability, stream); };
}

}  // namespace

TEST_CASE("add_dropout, relu_dropout: gradients, also in place and of one tensor given twice") {
  const std::vector<Tensor> x{gaussian({9, 11}, "x"), gaussian({9, 11}, "branch")};
  const auto twice = [](const std::vector<Tensor>& in) {
    const Tensor h = scaled(in[0]);
    return add_dropout(h, h, 0.3, stream);
  };
  const auto both_held = [](const std::vector<Tensor>& in) { return add_dropout(in[0], in[1], 0.3, stream); };
  const auto relu_held = [](const std::vector<Tensor>& in) { return relu_dropout(in[0], 0.3, stream); };
  for (const TensorFunction& f : {fused_sum(0.3), fused_sum(0), TensorFunction(both_held)}) {
    const auto result = gradcheck(f, x);
    INFO(result.report);
    CHECK(result);
  }
  for (const TensorFunction& f : {fused_relu(0.3), fused_relu(0), TensorFunction(relu_held), TensorFunction(twice)}) {
    const auto result = gradcheck(f, {x[0]});
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("add_dropout, relu_dropout and their composed twins agree, on any number of threads") {
  const std::vector<Tensor> x{gaussian({300, 301}, "x"), gaussian({300, 301}, "branch")};
  for (const double probability : {0.0, 0.25}) {
    CHECK(difference(fused_sum(probability), composed_sum(probability), x) < 1e-15);
    CHECK(difference(fused_relu(probability), composed_relu(probability), {x[0]}) == 0);
    CHECK(difference_of_f32(fused_sum(probability), x) < 2e-7);
    CHECK(difference_of_f32(fused_relu(probability), {x[0]}) < 2e-7);
    CHECK(same_on_any_threads(fused_sum(probability), {x[0].cast(Dtype::f32), x[1].cast(Dtype::f32)}));
    CHECK(same_on_any_threads(fused_relu(probability), {x[0].cast(Dtype::f32)}));
  }
}

TEST_CASE("dropout writes over what nobody holds, and over nothing else") {
  for (const auto& op :
       {+[](Tensor x) { return dropout(std::move(x), 0.5, stream); },
        +[](Tensor x) { return relu_dropout(std::move(x), 0.5, stream); },
        +[](Tensor x) { return add_dropout(gaussian({64}, "sum", Dtype::f32), std::move(x), 0.5, stream); },
        +[](Tensor x) { return relu(std::move(x)); }}) {
    const Tensor kept = gaussian({64}, "x", Dtype::f32), before = kept.clone();
    const Tensor y = op(kept);
    CHECK(y.raw() != kept.raw());
    CHECK(same_bits(kept, before));
    Tensor dying = kept.clone();
    const void* memory = dying.raw();
    const Tensor in_place = op(std::move(dying));
    CHECK(in_place.raw() == memory);
    CHECK(same_bits(in_place, y));
  }
}

TEST_CASE("relu_dropout lets NaN pass, and the observer hear of the kink") {
  const Tensor nan = Tensor::full({100}, Dtype::f32, std::numeric_limits<double>::quiet_NaN());
  const Tensor y = relu_dropout(nan, 0.5, stream);
  Index seen = 0;
  for (Index i = 0; i < y.size(); ++i) seen += std::isnan(y.at(i));
  CHECK(seen == y.size() - zeros_in(y));
  CHECK(seen > 25);

  struct Listener final : Observer {
    void kink(const Tensor& x) override { heard += x.size(); }
    Index heard = 0;
  } listener;
  Tape tape(&listener);
  relu_dropout(nan, 0.5, stream);
  CHECK(listener.heard == 100);
}

TEST_CASE("dropout: gradients, also where the gradient of x is written over that of y") {
  const auto held = [](const std::vector<Tensor>& in) { return dropout(in[0], 0.3, stream); };
  const auto in_place = [](const std::vector<Tensor>& in) { return scaled(dropout(scaled(in[0]), 0.3, stream)); };
  for (const TensorFunction& f : {TensorFunction(held), TensorFunction(in_place)}) {
    const auto result = gradcheck(f, {gaussian({9, 11}, "x")});
    INFO(result.report);
    CHECK(result);
  }
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

TEST_CASE("add_dropout: x and branch must be alike") {
  const Tensor x = Tensor::zeros({2, 3}, Dtype::f32);
  REQUIRE_THROWS_WITH(add_dropout(x, Tensor::zeros({3, 2}, Dtype::f32), 0.5, stream),
                      ContainsSubstring("add_dropout: both operands must have one shape and dtype, got f32 [2, 3]"));
}

TEST_CASE("dropout: the ends of its range") {
  const Tensor x = gaussian({10}, "x", Dtype::f32);
  CHECK(dropout(x, 0, stream).raw() == x.raw());
  CHECK(zeros_in(dropout(x, 1 - 1e-12, stream)) == 10);
  CHECK(dropout(Tensor::zeros({0, 4}, Dtype::f32), 0.5, stream).size() == 0);
  for (const double wrong : {-0.1, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    REQUIRE_THROWS_WITH(dropout(x, wrong, stream), ContainsSubstring("dropout: probability must be in [0, 1), got "));
    REQUIRE_THROWS_WITH(add_dropout(x, x, wrong, stream), ContainsSubstring("add_dropout: probability must be in"));
    REQUIRE_THROWS_WITH(relu_dropout(x, wrong, stream), ContainsSubstring("relu_dropout: probability must be in"));
  }
}
