// Batch norm and PN-V as modules: running statistics, ghost batches, the penalty, measures by hand.
#include "nn/norm/batch.h"

#include "nn/norm/power_v.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

Tensor rows_of(const std::vector<double>& values) {
  return Tensor::from<double>({static_cast<Index>(values.size()), 1}, values);
}

Pass training_pass(std::uint32_t micro_batch = 0) {
  return {.training = true, .seed = 1, .step = 1, .micro_batch = micro_batch};
}

double measure(const Norm& norm, const std::string& quantity) {
  for (const Norm::Measure& measure : norm.measures()) {
    if (measure.quantity == quantity) return measure.value;
  }
  FAIL("no measure " << quantity);
  return 0;
}

}  // namespace

TEST_CASE("batch norm: names, first values, and running statistics by the momentum") {
  BatchNorm norm(init_f64("norm"), 1, {.momentum = 0.25, .epsilon = 0});
  CHECK(paths_of(norm.parameters()) == std::vector<std::string>{"norm.weight", "norm.bias"});
  CHECK(paths_of(norm.buffers()) == std::vector<std::string>{"norm.running_mean", "norm.running_variance"});
  CHECK(norm.buffers()[0].tensor.item() == 0);
  CHECK(norm.buffers()[1].tensor.item() == 1);
  norm.forward(rows_of({2, 6}), Rows::single(2), training_pass());  // mean 4, variance 4
  norm.commit();
  CHECK(norm.buffers()[0].tensor.item() == 1);     // 0 + 0.25 * 4
  CHECK(norm.buffers()[1].tensor.item() == 1.75);  // 1 + 0.25 * (4 - 1)
  const Tensor y = norm.forward(rows_of({2.75}), Rows::single(1), {});
  CHECK(y.item() == Approx(1.75 / std::sqrt(1.75)));
  const Tensor by_batch = norm.forward(rows_of({2, 6}), Rows::single(2), {.batch_statistics = true});
  CHECK(by_batch.at(0) == -1);
  CHECK(by_batch.at(1) == 1);
}

TEST_CASE("PN-V: its one buffer is the running second moment") {
  const auto norm = PowerVOptions{}.make(init_f64("norm"), 1);
  CHECK(paths_of(norm->buffers()) == std::vector<std::string>{"norm.running_second_moment"});
  norm->forward(rows_of({1, 5}), Rows::single(2), training_pass());
  norm->commit();
  CHECK(norm->buffers()[0].tensor.item() == Approx(1 + 0.1 * (13 - 1)));
}

TEST_CASE("batch norm: ghost batches move the running statistics as micro-batches of their size do") {
  for (const auto about : {BatchNorm::About::mean, BatchNorm::About::zero}) {
    BatchNorm whole(init_f64("norm"), 3, {.statistics_tokens = 4}, about), parts(init_f64("norm"), 3, {}, about);
    const Tensor x = random_tensor({8, 3}, "x");
    const Tensor y = whole.forward(x, Rows::of_lengths({3, 5}), training_pass());
    whole.commit();
    for (Index half = 0; half < 2; ++half) {
      Tensor part = Tensor::empty({4, 3}, Dtype::f64);
      for (Index i = 0; i < 12; ++i) part.set(i, x.at(half * 12 + i));
      const Tensor y_part = parts.forward(part, Rows::single(4), training_pass());
      for (Index i = 0; i < 12; ++i) CHECK(y_part.at(i) == Approx(y.at(half * 12 + i)).epsilon(1e-13));
      parts.commit();
    }
    for (std::size_t i = 0; i < whole.buffers().size(); ++i) {
      CHECK(largest_difference(whole.buffers()[i].tensor, parts.buffers()[i].tensor) < 1e-13);
    }
  }
}

TEST_CASE("Regularized BatchNorm leaves its penalty with the pass, in training alone") {
  BatchNorm norm(init_f64("norm"), 1, {.mean_penalty = 10, .variance_penalty = 2});
  std::vector<Tensor> penalties;
  Pass pass = training_pass();
  pass.penalties = &penalties;
  norm.forward(rows_of({1, 5}), Rows::single(2), pass);  // mean 3 from 0, variance 4 from 1
  REQUIRE(penalties.size() == 1);
  CHECK(penalties[0].item() == Approx(10 * 9 + 2 * 3));
  penalties.clear();
  norm.forward(rows_of({1, 5}), Rows::single(2), {.batch_statistics = true, .penalties = &penalties});
  CHECK(penalties.empty());
  BatchNorm plain(init_f64("plain"), 1, {});
  plain.forward(rows_of({1, 5}), Rows::single(2), pass);
  CHECK(penalties.empty());
}

TEST_CASE("batch norm: its measures, by hand") {
  BatchNorm norm(init_f64("norm"), 2, {.epsilon = 0});
  norm.parameters()[0].tensor.set(1, -3);
  // Means 4 and 0, variances 4 and 1; the running ones are 0 and 1.
  Tensor x = Tensor::from<double>({2, 2}, {2, -1, 6, 1});
  x.require_gradient();
  Tape tape;
  const Tensor y = norm.forward(x, Rows::single(2), training_pass());
  tape.backward(y, Tensor::from<double>({2, 2}, {1, 2, 3, 4}));
  CHECK(measure(norm, "mean_distance") == Approx(4.0 / 2));
  CHECK(measure(norm, "mean_distance_relative") == Approx(4 / std::sqrt(2.0)));
  CHECK(measure(norm, "variance_distance") == Approx(3.0 / 2));
  CHECK(measure(norm, "variance_distance_relative") == Approx(1 / std::sqrt(2.0)));
  CHECK(measure(norm, "weight_over_sigma_mean") == Approx((0.5 + 3) / 2));
  CHECK(measure(norm, "weight_over_sigma_largest") == Approx(3));
  // mean(g) = 2 and -9, over sigma 1 and -9; mean(g n) = 1 and -3, over sigma 0.5 and -3.
  CHECK(measure(norm, "mean_gradient_term") == Approx(std::sqrt(1 + 81.0) / 2));
  CHECK(measure(norm, "variance_gradient_term") == Approx(std::sqrt(0.25 + 9.0) / 2));
  norm.commit();
  CHECK(norm.measures().empty());
}

TEST_CASE("PN-V: its measures, by hand") {
  BatchNorm norm(init_f64("norm"), 2, {.epsilon = 11}, BatchNorm::About::zero);
  norm.parameters()[0].tensor.set(1, -3);
  // Both second moments are 25, so that psi = sqrt(25 + 11) = 6; the running ones are 1.
  Tensor x = Tensor::from<double>({2, 2}, {1, 5, 7, 5});
  x.require_gradient();
  Tape tape;
  const Tensor y = norm.forward(x, Rows::single(2), training_pass());
  tape.backward(y, Tensor::from<double>({2, 2}, {1, 2, 3, 4}));
  CHECK(measure(norm, "second_moment_distance") == Approx(std::sqrt(2 * 24 * 24.0) / 2));
  CHECK(measure(norm, "second_moment_distance_relative") == Approx(4));
  CHECK(measure(norm, "weight_over_psi_mean") == Approx((1.0 / 6 + 3.0 / 6) / 2));
  CHECK(measure(norm, "weight_over_psi_largest") == Approx(0.5));
  // mean(g n) = 11 / 6 and -7.5; times the root mean square of n, 5 / 6, over psi.
  const double first = 11.0 / 6 * 5 / 36, second = -7.5 * 5 / 36;
  CHECK(measure(norm, "second_moment_gradient_term") == Approx(std::sqrt(first * first + second * second) / 2));
}
