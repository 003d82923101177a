// Power norm against literal transcriptions of the published rule and of the authors' code, over many steps.
#include "engine/ops/power_norm.h"

#include <cmath>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

constexpr Index kFeatures = 6;

PowerState first_state() {
  return {Tensor::full({kFeatures}, Dtype::f64, 1), Tensor::zeros({kFeatures}, Dtype::f64), 0};
}

// One training step of the rule as a program would write it down: state in, dx and new state out.
struct Literal {
  std::vector<double> psi2 = std::vector<double>(kFeatures, 1), nu = std::vector<double>(kFeatures, 0);
  std::vector<double> ema_gz = std::vector<double>(kFeatures, 0);
  Index t = 0;
  Tensor y, dx;

  // Shen et al. 2020, algorithm 2 with weight in place of 1 / weight; in the warm-up psi is the batch's.
  void paper(const PowerRule& rule, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& dy) {
    ++t;
    start(x);
    const Index rows = x.rows();
    for (Index j = 0; j < kFeatures; ++j) {
      double batch = 0;
      for (Index i = 0; i < rows; ++i) batch += x.at(i * kFeatures + j) * x.at(i * kFeatures + j);
      batch /= static_cast<double>(rows);
      const double psi = std::sqrt((t <= rule.warmup_steps ? batch : psi2[at(j)]) + rule.epsilon);
      double gamma = 0, lambda = 0;
      for (Index i = 0; i < rows; ++i) {
        const double n = x.at(i * kFeatures + j) / psi, g = dy.at(i * kFeatures + j) * weight.at(j);
        y.set(i * kFeatures + j, weight.at(j) * n + bias.at(j));
        dx.set(i * kFeatures + j, (g - nu[at(j)] * n) / psi);
        gamma += n * n / static_cast<double>(rows);
        lambda += g * n / static_cast<double>(rows);
      }
      nu[at(j)] = nu[at(j)] * (1 - (1 - rule.alpha_backward) * gamma) + (1 - rule.alpha_backward) * lambda;
      psi2[at(j)] = psi2[at(j)] + (1 - rule.alpha_forward) * (batch - psi2[at(j)]);
    }
  }

  // The authors' code, in its own variables (research notes: running_phi is psi2, ema_gz grows without a factor).
  void reference(const PowerRule& rule, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& dy) {
    ++t;
    start(x);
    const Index rows = x.rows();
    for (Index j = 0; j < kFeatures; ++j) {
      double var = 0;
      for (Index i = 0; i < rows; ++i) var += x.at(i * kFeatures + j) * x.at(i * kFeatures + j);
      var /= static_cast<double>(rows);
      double& phi = psi2[at(j)];
      const double divisor = t <= rule.warmup_steps ? std::sqrt(var + rule.epsilon) : std::sqrt(phi + rule.epsilon);
      if (t < rule.warmup_steps)
        phi = phi * static_cast<double>(t - 1) / static_cast<double>(t) + var / static_cast<double>(t);
      phi = rule.alpha_forward * phi + (1 - rule.alpha_forward) * var;
      double mean = 0;
      for (Index i = 0; i < rows; ++i) {
        const double z = x.at(i * kFeatures + j) / divisor, g = dy.at(i * kFeatures + j) * weight.at(j);
        y.set(i * kFeatures + j, weight.at(j) * z + bias.at(j));
        const double approximate = g - (1 - rule.alpha_backward) * ema_gz[at(j)] * z;
        mean += approximate * z / static_cast<double>(rows);
        dx.set(i * kFeatures + j, approximate / std::sqrt(var + rule.epsilon));
      }
      ema_gz[at(j)] += mean;
      nu[at(j)] = (1 - rule.alpha_backward) * ema_gz[at(j)];
    }
  }

 private:
  static std::size_t at(Index j) { return static_cast<std::size_t>(j); }
  void start(const Tensor& x) {
    y = empty_like(x);
    dx = empty_like(x);
  }
};

Tensor numbers(Index rows, const char* what, Index step, double deviation = 1) {
  return gaussian({rows, kFeatures}, text(what, step).c_str(), 0.3, deviation);
}

}  // namespace

TEST_CASE("power_norm follows the published rule over 50 steps, before, at and after the end of the warm-up") {
  for (const bool reference : {false, true}) {
    for (const Index warmup : {0, 20, 100}) {
      PowerRule rule{.alpha_forward = 0.9, .alpha_backward = 0.8, .warmup_steps = warmup, .epsilon = 1e-5};
      rule.average_in_warmup = rule.divide_by_batch = reference;
      PowerState state = first_state();
      Literal literal;
      const Tensor weight = gaussian({kFeatures}, "weight", 1, 0.5), bias = gaussian({kFeatures}, "bias");
      for (Index step = 0; step < 50; ++step) {
        const Index rows = 1 + (step * 7) % 13;
        const Tensor x = numbers(rows, "x", step, 1 + 0.05 * static_cast<double>(step % 5));
        const Tensor dy = numbers(rows, "dy", step);
        if (reference) {
          literal.reference(rule, x, weight, bias, dy);
        } else {
          literal.paper(rule, x, weight, bias, dy);
        }
        Tensor leaf = x.clone().require_gradient(), w = weight.clone().require_gradient(),
               b = bias.clone().require_gradient();
        Tape tape;
        const PowerNormalized result = power_norm(leaf, w, b, Rows::single(rows), 0, rule, state);
        tape.backward(result.y, dy);
        update(state, rule, *result.statistics);
        INFO("reference " << reference << ", warm-up " << warmup << ", step " << step);
        REQUIRE(difference(result.y, literal.y) < 1e-12);
        REQUIRE(difference(leaf.gradient(), literal.dx) < 1e-12);
        REQUIRE(difference(state.second_moment, Tensor::from<double>({kFeatures}, literal.psi2)) < 1e-12);
        REQUIRE(difference(state.nu, Tensor::from<double>({kFeatures}, literal.nu)) < 1e-12);
        REQUIRE(state.updates == step + 1);
      }
    }
  }
}

TEST_CASE("power_norm: weight and bias have exact gradients, x has not") {
  PowerState state = first_state();
  state.nu = gaussian({kFeatures}, "nu");
  const Tensor x = numbers(7, "x", 0);
  const auto of = [&](const Rows& rows, bool x_varies) {
    return [&state, &x, rows, x_varies](const std::vector<Tensor>& in) {
      return power_norm(x_varies ? in[2] : x, in[0], in[1], rows, 3, PowerRule{}, state).y;
    };
  };
  const std::vector<Tensor> parameters = {gaussian({kFeatures}, "weight"), gaussian({kFeatures}, "bias")};
  const GradcheckResult exact = gradcheck(of(Rows::single(7), false), parameters);
  INFO(exact.report);
  CHECK(exact);
  const GradcheckResult surrogate = gradcheck(of(Rows::single(7), true), {parameters[0], parameters[1], x});
  CHECK_FALSE(surrogate);
  CHECK(surrogate.worst > 1e3);
}

TEST_CASE("power_norm: ghost batches are micro-batches one after the other") {
  const std::vector<Index> sizes = {4, 4, 4};
  const Tensor x = numbers(12, "x", 0), dy = numbers(12, "dy", 0);
  const Tensor weight = gaussian({kFeatures}, "weight"), bias = gaussian({kFeatures}, "bias");
  for (const bool reference : {false, true}) {
    PowerRule rule{.warmup_steps = 2};  // its end lies within the batch
    rule.average_in_warmup = rule.divide_by_batch = reference;
    PowerState whole = first_state(), parts = first_state();
    Tensor leaf = x.clone().require_gradient();
    Tape tape;
    const PowerNormalized result = power_norm(leaf, weight, bias, Rows::single(12), 4, rule, whole);
    tape.backward(result.y, dy);
    update(whole, rule, *result.statistics);
    for (Index k = 0; k < 3; ++k) {
      const auto cut = [&](const Tensor& all) {
        const auto values = all.values<double>();
        const auto first = values.begin() + k * 4 * kFeatures;
        return Tensor::from<double>({4, kFeatures}, std::vector<double>(first, first + 4 * kFeatures));
      };
      Tensor part = cut(x).require_gradient();
      Tape inner;
      const PowerNormalized of_part = power_norm(part, weight, bias, Rows::single(4), 0, rule, parts);
      inner.backward(of_part.y, cut(dy));
      update(parts, rule, *of_part.statistics);
      CHECK(difference(cut(result.y), of_part.y) < 1e-13);
      CHECK(difference(cut(leaf.gradient()), part.gradient()) < 1e-13);
    }
    CHECK(difference(whole.second_moment, parts.second_moment) < 1e-13);
    CHECK(difference(whole.nu, parts.nu) < 1e-13);
    CHECK(whole.updates == parts.updates);
  }
}

TEST_CASE("power_norm: y is made again ghost batch by ghost batch, in the warm-up and after it") {
  const PowerRule rule{.alpha_forward = 0.9, .alpha_backward = 0.9, .warmup_steps = 2};
  const Tensor x = gaussian({16, kFeatures}, "x", Dtype::f32).require_gradient();
  const Tensor weight = gaussian({kFeatures}, "weight", Dtype::f32), bias = gaussian({kFeatures}, "bias", Dtype::f32);
  Tape tape;
  const Tensor y = power_norm(x, weight, bias, Rows::single(16), 4, rule, first_state()).y;
  const Tensor again = Kept(y).get();
  CHECK(again.raw() != y.raw());
  CHECK(same_bits(again, y));
}

TEST_CASE("power_norm leaves its state alone, and a forward without backward leaves nu alone") {
  const PowerState before = first_state();
  const PowerRule rule;
  PowerState state = first_state();
  const Tensor weight = Tensor::full({kFeatures}, Dtype::f64, 1), bias = Tensor::zeros({kFeatures}, Dtype::f64);
  const PowerNormalized result = power_norm(numbers(5, "x", 0), weight, bias, Rows::single(5), 0, rule, state);
  CHECK(same_bits(state.second_moment, before.second_moment));
  CHECK(state.updates == 0);
  update(state, rule, *result.statistics);
  CHECK(state.updates == 1);
  CHECK_FALSE(same_bits(state.second_moment, before.second_moment));
  CHECK(same_bits(state.nu, before.nu));
}

TEST_CASE("power_norm: rows that do not count change nothing for the others") {
  PowerState state = first_state();
  state.nu = gaussian({kFeatures}, "nu");
  const Rows rows({0, 5}, {1, 0, 1, 1, 0});
  const Tensor weight = gaussian({kFeatures}, "weight"), bias = gaussian({kFeatures}, "bias");
  Tensor x = numbers(5, "x", 0), dy = numbers(5, "dy", 0);
  for (const Index pad : {1, 4}) {
    for (Index j = 0; j < kFeatures; ++j) dy.set(pad * kFeatures + j, 0);
  }
  const auto run = [&](const Tensor& from) {
    Tensor leaf = from.clone().require_gradient();
    Tape tape;
    const PowerNormalized result = power_norm(leaf, weight, bias, rows, 0, PowerRule{}, state);
    tape.backward(result.y, dy);
    PowerState next{state.second_moment.clone(), state.nu.clone(), 0};
    update(next, PowerRule{}, *result.statistics);
    return std::vector<Tensor>{leaf.gradient().clone(), next.second_moment, next.nu};
  };
  const auto plain = run(x);
  for (Index j = 0; j < kFeatures; ++j) x.set(1 * kFeatures + j, 1e3);
  const auto wild = run(x);
  for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(plain[i], wild[i]));
  for (Index j = 0; j < kFeatures; ++j) CHECK(plain[0].at(kFeatures + j) == 0);
}

TEST_CASE("power_norm: errors") {
  const Tensor x = gaussian({4, 3}, "x"), one = Tensor::full({3}, Dtype::f64, 1);
  const auto apply = [&](const PowerState& state) {
    return power_norm(x, one, one, Rows::single(4), 0, PowerRule{}, state);
  };
  CHECK_THROWS_WITH(apply(first_state()),
                    "power_norm: the state's second_moment and nu must be f64 [3] for x of shape [4, 3], got f64 [6] "
                    "and f64 [6]");
  CHECK_THROWS_WITH(apply({one, one.cast(Dtype::f32), 0}), ContainsSubstring("got f64 [3] and f32 [3]"));
  PowerState other = first_state();
  CHECK_THROWS_WITH(update(other, PowerRule{}, *apply({one, one, 0}).statistics),
                    ContainsSubstring("the state must be of the features that were seen, 3, got [6] and [6]"));
}

TEST_CASE("power_norm: the same bits on any number of threads, and f32 keeps up with f64") {
  const auto wide = [](Index features) {
    return [=](const std::vector<Tensor>& in) {
      const PowerState state{Tensor::full({features}, Dtype::f64, 1.3), gaussian({features}, "nu"), 0};
      return power_norm(in[0], in[1], in[2], Rows::single(in[0].rows()), 700, PowerRule{.warmup_steps = 1}, state).y;
    };
  };
  const std::vector<Tensor> in = {gaussian({2003, 67}, "x"), gaussian({67}, "weight"), gaussian({67}, "bias")};
  CHECK(same_on_any_threads(wide(67), in));
  CHECK(same_on_any_threads(wide(67), {in[0].cast(Dtype::f32), in[1].cast(Dtype::f32), in[2].cast(Dtype::f32)}));
  CHECK(difference_of_f32(wide(67), in) < 1e-5);
}
