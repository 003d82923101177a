// Ops on whole sequences against plain loops, and finite differences.
#include "engine/ops/sequences.h"

#include "engine/gradcheck.h"
#include "engine/ops/reduce.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

const Rows kRagged = Rows::of_lengths({4, 1, 3});

TensorFunction prepend(const Rows& rows) {
  return [=](const std::vector<Tensor>& in) { return prepend_row(in[0], in[1], rows); };
}

TensorFunction mean_of(const Rows& rows) {
  return [=](const std::vector<Tensor>& in) { return mean_of_sequences(in[0], rows); };
}

}  // namespace

TEST_CASE("a row is put in front of each sequence, an empty one too") {
  const Rows rows = Rows::of_lengths({2, 0, 1});
  const Tensor x = Tensor::from<double>({3, 2}, {1, 2, 3, 4, 5, 6}), row = Tensor::from<double>({2}, {8, 9});
  CHECK(same_bits(prepend_row(x, row, rows), Tensor::from<double>({6, 2}, {8, 9, 1, 2, 3, 4, 8, 9, 8, 9, 5, 6})));
  CHECK(one_longer(rows).offsets() == std::vector<Index>{0, 3, 4, 6});
}

TEST_CASE("the mean of each sequence, by a plain loop") {
  const Tensor x = gaussian({8, 5}, "x"), y = mean_of_sequences(x, kRagged);
  REQUIRE(y.shape() == Shape{3, 5});
  for (Index s = 0; s < 3; ++s) {
    for (Index j = 0; j < 5; ++j) {
      double sum = 0;
      for (Index i = kRagged.begin(s); i < kRagged.end(s); ++i) sum += x.at(i * 5 + j);
      CHECK(y.at(s * 5 + j) == Approx(sum / static_cast<double>(kRagged.length(s))).epsilon(1e-14));
    }
  }
}

TEST_CASE("sequences: gradients") {
  const auto prepended = gradcheck(prepend(kRagged), {gaussian({8, 5}, "x"), gaussian({5}, "row")});
  INFO(prepended.report);
  CHECK(prepended);
  const auto averaged = gradcheck(mean_of(kRagged), {gaussian({8, 5}, "x")});
  INFO(averaged.report);
  CHECK(averaged);
}

TEST_CASE("sequences: a gradient is added to what is there, and one that nobody wants is left out") {
  Tensor x = gaussian({8, 5}, "x").require_gradient();
  const Tensor row = gaussian({5}, "row");
  for (int time = 0; time < 2; ++time) {
    Tape tape;
    tape.backward(sum(prepend_row(x, row, kRagged)));
  }
  for (const double gradient : x.gradient().values<double>()) CHECK(gradient == 2);
}

TEST_CASE("sequences: f32 against f64, threads") {
  const Rows rows = Rows::of_lengths({300, 1, 77, 500, 122});
  const std::vector<Tensor> inputs = {gaussian({1000, 71}, "x", Dtype::f32), gaussian({71}, "row", Dtype::f32)};
  CHECK(difference_of_f32(prepend(rows), inputs) < 1e-6);
  CHECK(same_on_any_threads(prepend(rows), inputs));
  CHECK(difference_of_f32(mean_of(rows), {inputs[0]}) < 1e-6);
  CHECK(same_on_any_threads(mean_of(rows), {inputs[0]}));
}

TEST_CASE("sequences: errors name what came") {
  const Tensor x = gaussian({8, 5}, "x");
  CHECK_THROWS_WITH(mean_of_sequences(x, Rows::single(7)),
                    "mean_of_sequences: x must be a matrix of the 7 rows of Rows, got [8, 5]");
  CHECK_THROWS_WITH(mean_of_sequences(x, Rows::of_lengths({8, 0})),
                    "mean_of_sequences: every sequence must have a row, got none in sequence 1");
  CHECK_THROWS_WITH(mean_of_sequences(x, Rows({0, 8}, {1, 1, 1, 1, 1, 1, 0, 0})),
                    "mean_of_sequences: every row must count, got 2 that do not");
  CHECK_THROWS_WITH(prepend_row(x, gaussian({4}, "row"), kRagged),
                    "prepend_row: row must be f64 [5] for x of shape [8, 5], got f64 [4]");
}
