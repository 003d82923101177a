// PowerNorm as a module: the state it keeps, its two modes, and what it tells the probes.
#include "nn/norm/power.h"

#include "tests/nn/support.h"

using namespace normlab;

namespace {

Pass training_pass() { return {.training = true, .seed = 1, .step = 1}; }

void step(Norm& norm, const Tensor& x, const Tensor& dy) {
  Tensor leaf = x.clone().require_gradient();
  Tape tape;
  const Tensor y = norm.forward(leaf, Rows::single(x.rows()), training_pass());
  tape.backward(y, dy);
  norm.commit();
}

}  // namespace

TEST_CASE("power norm: its buffers follow the rule of the op") {
  const PowerRule rule{.alpha_forward = 0.8, .warmup_steps = 2, .average_in_warmup = true};
  PowerNorm norm(init_f64("norm"), 3, rule);
  CHECK(paths_of(norm.buffers()) == std::vector<std::string>{"norm.running_second_moment", "norm.nu", "norm.updates"});
  shake(norm);
  PowerState state{Tensor::full({3}, Dtype::f64, 1), Tensor::zeros({3}, Dtype::f64), 0};
  for (Index i = 0; i < 4; ++i) {
    const Tensor x = random_tensor({5 + i, 3}, text("x", i)), dy = random_tensor({5 + i, 3}, text("dy", i));
    Tensor leaf = x.clone().require_gradient();
    Tape tape;
    const PowerNormalized expected =
        power_norm(leaf, norm.parameters()[0].tensor.detach(), norm.parameters()[1].tensor.detach(),
                   Rows::single(5 + i), 0, rule, state);
    tape.backward(expected.y, dy);
    CHECK(norm.passes().forward == (i < 2 ? 3 : 2));
    step(norm, x, dy);
    update(state, rule, *expected.statistics);
    CHECK(same_bits(norm.buffers()[0].tensor, state.second_moment));
    CHECK(same_bits(norm.buffers()[1].tensor, state.nu));
    CHECK(norm.buffers()[2].tensor.item() == static_cast<double>(i + 1));
  }
}

TEST_CASE("power norm: the modes set what the other options start from") {
  const PowerRule paper = PowerNormOptions::rule_of(PowerNormOptions::Mode::paper);
  CHECK(paper.warmup_steps == 0);
  CHECK_FALSE(paper.average_in_warmup);
  CHECK_FALSE(paper.divide_by_batch);
  const PowerRule reference = PowerNormOptions::rule_of(PowerNormOptions::Mode::reference);
  CHECK(reference.warmup_steps == 10000);
  CHECK(reference.average_in_warmup);
  CHECK(reference.divide_by_batch);
}

TEST_CASE("power norm: in evaluation it divides by the running root mean square, also within the warm-up") {
  PowerNorm norm(init_f64("norm"), 1, {.warmup_steps = 100, .epsilon = 0});
  step(norm, Tensor::from<double>({2, 1}, {3, 5}), Tensor::from<double>({2, 1}, {1, 1}));  // psi_B^2 = 17
  const Tensor y = norm.forward(Tensor::full({1, 1}, Dtype::f64, 2), Rows::single(1), {});
  CHECK(y.item() == Approx(2 / std::sqrt(0.9 + 0.1 * 17)));
}

TEST_CASE("power norm: Gamma among its measures, before the first commit") {
  PowerNorm norm(init_f64("norm"), 2, {.epsilon = 0});
  Tensor x = Tensor::from<double>({2, 2}, {1, 0, 3, 2}).require_gradient();
  Tape tape;
  norm.forward(x, Rows::single(2), training_pass());  // psi is 1, psi_B^2 is 5 and 2
  double gamma_mean = 0, gamma_largest = 0, over_bound = 0, feature = -1, distance = 0;
  for (const Norm::Measure& measure : norm.measures()) {
    if (measure.quantity == "gamma_mean") gamma_mean = measure.value;
    if (measure.quantity == "gamma_largest") gamma_largest = measure.value;
    if (measure.quantity == "gamma_over_bound") over_bound = measure.value;
    if (measure.quantity == "gamma_largest_feature") feature = measure.value;
    if (measure.quantity == "second_moment_distance") distance = measure.value;
  }
  CHECK(gamma_mean == Approx(3.5));
  CHECK(gamma_largest == Approx(5));
  CHECK(over_bound == Approx(5.0 / 20));  // alpha_backward is 0.9
  CHECK(feature == 0);
  CHECK(distance == Approx(std::sqrt(16 + 1.0) / 2));
}

TEST_CASE("power norm: its measures after a commit, by hand") {
  PowerNorm norm(init_f64("norm"), 2, {.epsilon = 0});
  norm.parameters()[0].tensor.set(1, -3);
  const Tensor x = Tensor::from<double>({2, 2}, {1, 0, 3, 2}), dy = Tensor::full({2, 2}, Dtype::f64, 1);
  // psi is 1 and psi_B^2 is 5 and 2, so that psi^2 becomes 1.4 and 1.1. Lambda is 2 and -3, so that nu becomes 0.2 and
  // -0.3.
  step(norm, x, dy);
  norm.forward(x, Rows::single(2), training_pass());
  const auto measure = [&](const std::string& quantity) {
    for (const Norm::Measure& one : norm.measures()) {
      if (one.quantity == quantity) return one.value;
    }
    FAIL("no measure " << quantity);
    return 0.0;
  };
  CHECK(measure("nu_norm") == Approx(std::sqrt(0.04 + 0.09)));
  CHECK(measure("weight_over_psi_mean") == Approx((1 / std::sqrt(1.4) + 3 / std::sqrt(1.1)) / 2));
  CHECK(measure("weight_over_psi_largest") == Approx(3 / std::sqrt(1.1)));
  CHECK(measure("gamma_largest") == Approx(5 / 1.4));
  CHECK(measure("second_moment_distance") == Approx(std::sqrt(3.6 * 3.6 + 0.9 * 0.9) / 2));
}
