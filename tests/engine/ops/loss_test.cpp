// Cross-entropy against values in closed form, log_softmax with the target distribution, and finite differences; with
// the linear map in front of it, against the two ops one after the other.
#include "engine/ops/loss.h"

#include <cmath>
#include <limits>
#include <utility>

#include "engine/gradcheck.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/product.h"
#include "engine/ops/reduce.h"
#include "engine/ops/softmax.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

// Tokens with targets 0, 1, 2, … modulo the classes; those for which `counted` is 0 do not count.
struct Problem {
  Index tokens, classes;
  std::vector<std::uint8_t> counted;
  double smoothing = 0;
  double divisor = 0;

  Rows rows() const { return Rows({0, tokens}, counted); }
  Tensor targets() const {
    Tensor ids = Tensor::zeros({tokens}, Dtype::i32);
    for (Index i = 0; i < tokens; ++i) ids.set(i, static_cast<double>(5 * i % classes));
    return ids;
  }
  CrossEntropy run(const Tensor& logits) const { return cross_entropy(logits, targets(), rows(), smoothing, divisor); }
  TensorFunction loss() const {
    return [*this](const std::vector<Tensor>& in) { return run(in[0]).loss; };
  }
  // The twin: -sum q log p / divisor.
  TensorFunction twin() const {
    return [*this](const std::vector<Tensor>& in) {
      Tensor q = Tensor::zeros({tokens, classes}, in[0].dtype());
      for (Index i = 0; i < tokens; ++i) {
        if (!rows().counts(i)) continue;
        for (Index c = 0; c < classes; ++c) {
          const double hit = targets().at(i) == static_cast<double>(c) ? 1 - smoothing : 0;
          q.set(i * classes + c, hit + smoothing / static_cast<double>(classes));
        }
      }
      const double by = divisor > 0 ? divisor : static_cast<double>(rows().counted());
      return scale(sum(multiply(log_softmax(in[0]), q)), -1 / by);
    };
  }
};

const std::vector<Problem> kProblems = {
    {1, 2, {}},
    {6, 7, {}},
    {6, 7, {}, 0.1},
    {6, 7, {1, 0, 0, 1, 1, 0}, 0.1},
    {5, 3, {0, 1, 1, 0, 1}, 1.0, 2.5},
    {4, 33, {}, 0, 17},
    {3, 1, {}, 0.3},
    {3, 600, {1, 0, 1}, 0.1},
};

}  // namespace

TEST_CASE("cross_entropy: gradients") {
  for (const Problem& problem : kProblems) {
    const Tensor logits = gaussian({problem.tokens, problem.classes}, "logits", 0, 2);
    const GradcheckResult result = gradcheck(problem.loss(), {logits});
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("cross_entropy and the composition of log_softmax and the target distribution agree") {
  for (const Problem& problem : kProblems) {
    const Tensor logits = gaussian({problem.tokens, problem.classes}, "logits", 0, 2);
    // One class alone leaves rounding errors over rounding errors.
    if (problem.classes > 1) CHECK(difference(problem.loss(), problem.twin(), {logits}) < 1e-12);
  }
}

TEST_CASE("cross_entropy: values in closed form") {
  SECTION("equal logits: log C, whatever the smoothing") {
    for (const double smoothing : {0.0, 0.1, 1.0}) {
      for (const Index classes : {8, 257, 600}) {
        const Problem problem{5, classes, {}, smoothing};
        const CrossEntropy result = problem.run(Tensor::full({5, classes}, Dtype::f64, 3));
        const double expected = std::log(static_cast<double>(classes));
        CHECK(result.loss.item() == Approx(expected).epsilon(1e-14));
        CHECK(result.nll == Approx(5 * expected).epsilon(1e-14));
        CHECK(result.smoothed == Approx(5 * expected).epsilon(1e-14));
        CHECK(result.tokens == 5);
      }
    }
  }
  SECTION("p = (3/4, 1/4), target 0, s = 0.2: 0.9 * -log 3/4 + 0.1 * -log 1/4") {
    const Tensor logits = Tensor::from<double>({1, 2}, {std::log(3), 0});
    const CrossEntropy result = Problem{1, 2, {}, 0.2}.run(logits);
    CHECK(result.nll == Approx(std::log(4.0 / 3)).epsilon(1e-14));
    CHECK(result.smoothed == Approx(0.9 * std::log(4.0 / 3) + 0.1 * std::log(4)).epsilon(1e-14));
    CHECK(result.loss.item() == Approx(result.smoothed).epsilon(1e-14));
  }
}

TEST_CASE("cross_entropy counts the targets that have the largest logit, of equal ones the first") {
  const Tensor logits = Tensor::from<double>({5, 3}, {1, 2, 0, 5, 1, 1, 4, 4, 0, 4, 4, 0, 0, 0, 9});
  const Tensor targets = Tensor::from<std::int32_t>({5}, {1, 2, 0, 1, 2});
  CHECK(cross_entropy(logits, targets, Rows::single(5)).correct == 3);
  CHECK(cross_entropy(logits, targets, Rows({0, 5}, {0, 1, 1, 1, 1})).correct == 2);
  Tensor many = Tensor::zeros({20000, 5}, Dtype::f32), zeros = Tensor::zeros({20000}, Dtype::i32);
  CHECK(cross_entropy(many, zeros, Rows::single(20000)).correct == 20000);
}

TEST_CASE("cross_entropy: the divisor divides the loss alone") {
  const Tensor logits = gaussian({6, 7}, "logits");
  const CrossEntropy mean = Problem{6, 7, {1, 1, 0, 1, 1, 0}, 0.1}.run(logits);
  const CrossEntropy part = Problem{6, 7, {1, 1, 0, 1, 1, 0}, 0.1, 10}.run(logits);
  CHECK(mean.tokens == 4);
  CHECK(part.tokens == 4);
  CHECK(part.nll == mean.nll);
  CHECK(part.loss.item() == Approx(mean.loss.item() * 4 / 10).epsilon(1e-14));
}

TEST_CASE("cross_entropy: rows that do not count give nothing and are not looked at") {
  Tensor logits = gaussian({4, 9}, "logits");
  Tensor targets = Tensor::from<std::int32_t>({4}, {3, -1, 8, 9});
  for (Index c = 0; c < 9; ++c) logits.set(9 + c, std::nan(""));
  const Rows rows({0, 1, 4}, {1, 0, 1, 0});
  logits.require_gradient();
  Tape tape;
  const CrossEntropy result = cross_entropy(logits, targets, rows, 0.1);
  tape.backward(result.loss);
  CHECK(std::isfinite(result.nll));
  CHECK(result.tokens == 2);
  for (Index i = 0; i < 4; ++i) {
    for (Index c = 0; c < 9; ++c) CHECK((logits.gradient().at(i * 9 + c) != 0) == rows.counts(i));
  }
  SECTION("none at all, with a divisor") {
    const CrossEntropy none = cross_entropy(logits.detach(), targets, Rows({0, 4}, {0, 0, 0, 0}), 0.1, 3);
    CHECK(none.loss.item() == 0);
    CHECK(none.tokens == 0);
  }
}

TEST_CASE("cross_entropy in f32 keeps up with f64, at logits of 1e4 too") {
  for (const double deviation : {1.0, 1e4}) {
    const Problem problem{50, 301, {}, 0.1};
    CHECK(difference_of_f32(problem.loss(), {gaussian({50, 301}, "logits", 0, deviation)}) < 1e-5);
    CHECK(difference_of_f32(problem.loss(), {gaussian({50, 301}, "logits", 1e4, 1)}) < 1e-5);
  }
}

TEST_CASE("cross_entropy writes the gradient over logits that nobody else holds, and over no others") {
  const Tensor leaf = gaussian({5, 7}, "x").require_gradient();
  const Tensor targets = Tensor::from<std::int32_t>({5}, {0, 6, 3, 3, 1});
  const void* gradient = nullptr;
  const auto logits = [&] {
    return record("logits", {&leaf}, leaf.clone(), [&](const Tensor& dy, Gradients& into) {
      gradient = dy.raw();
      into[0].copy_from(dy);
    });
  };
  const Tensor kept = [&] {
    Tape tape;
    const Tensor held = logits();
    tape.backward(cross_entropy(held, targets, Rows::single(5), 0.1).loss);
    CHECK(gradient != held.raw());
    CHECK(same_bits(held, leaf.detach()));
    return leaf.gradient().clone();
  }();
  Tape tape;
  Tensor dying = logits();
  const void* memory = dying.raw();
  const Tensor loss = cross_entropy(std::exchange(dying, {}), targets, Rows::single(5), 0.1).loss;
  tape.backward(loss);
  CHECK(gradient == memory);
  CHECK(same_bits(leaf.gradient(), kept));
}

TEST_CASE("cross_entropy lets NaN be seen") {
  for (Index at = 0; at < 19; ++at) {
    Tensor logits = gaussian({1, 19}, "logits").cast(Dtype::f32);
    logits.set(at, std::nan(""));
    CHECK(std::isnan(Problem{1, 19, {}}.run(logits).nll));
  }
}

TEST_CASE("cross_entropy: the same bits on any number of threads") {
  const Problem problem{1003, 67, {}, 0.1};
  const Tensor logits = gaussian({1003, 67}, "logits").cast(Dtype::f32);
  CHECK(same_on_any_threads(problem.loss(), {logits}));
}

TEST_CASE("cross_entropy: errors") {
  const Tensor logits = Tensor::zeros({3, 5}, Dtype::f32), targets = Tensor::zeros({3}, Dtype::i32);
  const Rows rows = Rows::single(3);
  REQUIRE_THROWS_WITH(cross_entropy(logits, Tensor::from<std::int32_t>({3}, {0, 5, 1}), rows),
                      ContainsSubstring("cross_entropy: targets must be in [0, 5), got 5 in row 1"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, Tensor::zeros({2}, Dtype::i32), rows),
                      ContainsSubstring("targets must be i32 [3] for logits of shape [3, 5], got i32 [2]"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, targets, Rows::single(4)),
                      ContainsSubstring("Rows must hold the 3 rows of the logits, got 4"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, targets, rows, 1.5),
                      ContainsSubstring("label_smoothing must be in [0, 1], got 1.5"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, targets, rows, 0, -2),
                      ContainsSubstring("divisor must not be negative, got -2"));
  REQUIRE_THROWS_WITH(cross_entropy(logits, targets, Rows({0, 3}, {0, 0, 0})),
                      ContainsSubstring("without a divisor at least one row must count, got none of 3"));
}

namespace {

// A problem whose tokens fill two blocks of linear_cross_entropy and part of a third, unless they are fewer.
struct LinearProblem {
  Index tokens = 2 * kLossRowsAtOnce + 100;
  Index classes = 7;
  bool with_bias = true;
  double smoothing = 0.1;
  double divisor = 0;
  bool empty_block = false;

  // Every third token does not count, nor any of the second block if it is to be empty.
  Problem problem() const {
    std::vector<std::uint8_t> counted;
    for (Index i = 0; i < tokens; ++i) {
      counted.push_back(i % 3 != 0 && !(empty_block && i / kLossRowsAtOnce == 1));
    }
    return {tokens, classes, counted, smoothing, divisor};
  }
  std::vector<Tensor> inputs() const {
    std::vector<Tensor> all = {gaussian({tokens, 4}, "h"), gaussian({classes, 4}, "weight")};
    if (with_bias) all.push_back(gaussian({classes}, "bias"));
    return all;
  }
  CrossEntropy run(const std::vector<Tensor>& in) const {
    const Problem p = problem();
    return linear_cross_entropy(in[0], in[1], with_bias ? in[2] : Tensor(), p.targets(), p.rows(), smoothing, divisor);
  }
  CrossEntropy run_twin(const std::vector<Tensor>& in) const {
    return problem().run(linear(in[0], in[1], with_bias ? in[2] : Tensor()));
  }
  TensorFunction loss() const {
    return [*this](const std::vector<Tensor>& in) { return run(in).loss; };
  }
  TensorFunction twin() const {
    return [*this](const std::vector<Tensor>& in) { return run_twin(in).loss; };
  }
};

const std::vector<LinearProblem> kLinearProblems = {
    {},
    {.tokens = 7, .with_bias = false},
    {.tokens = kLossRowsAtOnce},
    {.tokens = 2 * kLossRowsAtOnce, .with_bias = false, .smoothing = 0, .divisor = 17},
    {.empty_block = true},
};

}  // namespace

TEST_CASE("linear_cross_entropy: gradients") {
  for (const LinearProblem& problem : kLinearProblems) {
    GradcheckOptions options;
    options.elements = 20;
    const GradcheckResult result = gradcheck(problem.loss(), problem.inputs(), options);
    INFO(result.report);
    CHECK(result);
  }
}

TEST_CASE("linear_cross_entropy is linear and cross_entropy one after the other") {
  for (const LinearProblem& problem : kLinearProblems) {
    CHECK(difference(problem.loss(), problem.twin(), problem.inputs()) < 1e-12);
    CHECK(same_when_wanted_alone(problem.loss(), problem.inputs()));
    const CrossEntropy got = problem.run(problem.inputs()), expected = problem.run_twin(problem.inputs());
    CHECK(got.nll == Approx(expected.nll).epsilon(1e-12));
    CHECK(got.smoothed == Approx(expected.smoothed).epsilon(1e-12));
    CHECK(got.tokens == expected.tokens);
    CHECK(got.correct == expected.correct);
    CHECK((got.correct > 0 || problem.tokens < 100));
  }
}

TEST_CASE("linear_cross_entropy in f32 keeps up with f64; the same bits on any number of threads") {
  const LinearProblem problem{.tokens = 1003, .classes = 301};
  CHECK(difference_of_f32(problem.loss(), problem.inputs()) < 1e-5);
  std::vector<Tensor> inputs;
  for (const Tensor& input : problem.inputs()) inputs.push_back(input.cast(Dtype::f32));
  CHECK(same_on_any_threads(problem.loss(), inputs));
}

TEST_CASE("linear_cross_entropy holds the logits of a block at a time") {
  class Peak : public Observer {
   public:
    void computed(const char*) override { bytes = std::max(bytes, pool_counts().bytes_in_use); }
    void differentiated(const char*) override { bytes = std::max(bytes, pool_counts().bytes_in_use); }
    std::uint64_t bytes = 0;
  };
  const Index tokens = 4 * kLossRowsAtOnce, classes = 1024;
  const Tensor targets = Tensor::zeros({tokens}, Dtype::i32);
  Tensor h = gaussian({tokens, 8}, "h", Dtype::f32), weight = gaussian({classes, 8}, "weight", Dtype::f32);
  h.require_gradient();
  weight.require_gradient();
  trim_pool();  // a free block of up to twice the need would be counted in full
  const std::uint64_t before = pool_counts().bytes_in_use;
  Peak peak;
  Tape tape(&peak);
  tape.backward(linear_cross_entropy(h, weight, {}, targets, Rows::single(tokens)).loss);
  const double block = static_cast<double>(kLossRowsAtOnce * classes) * 4;
  CHECK(static_cast<double>(peak.bytes - before) > block);
  CHECK(static_cast<double>(peak.bytes - before) < 1.25 * block);
}

TEST_CASE("linear_cross_entropy shows the logits and their gradient block by block") {
  class Shown : public Observer {
   public:
    void value(const std::string& site, const Tensor& x) override { values.emplace_back(site, x.clone()); }
    void gradient(const std::string& site, const Tensor& dx) override { gradients.emplace_back(site, dx.clone()); }
    std::vector<std::pair<std::string, Tensor>> values, gradients;
  } shown;
  const LinearProblem problem;
  std::vector<Tensor> inputs = problem.inputs();
  for (Tensor& input : inputs) input.require_gradient();
  const Problem p = problem.problem();
  Tape tape(&shown);
  const Tensor loss =
      linear_cross_entropy(inputs[0], inputs[1], inputs[2], p.targets(), p.rows(), 0.1, 0, "the logits").loss;
  tape.backward(loss);

  Tensor logits = linear(inputs[0].detach(), inputs[1].detach(), inputs[2].detach());
  logits.require_gradient();
  Tape plain;
  plain.backward(p.run(logits).loss);
  REQUIRE(shown.values.size() == 3);
  REQUIRE(shown.gradients.size() == 3);
  Index row = 0;
  for (std::size_t block = 0; block < 3; ++block) {
    const auto& [site, x] = shown.values[block];
    const auto& [same_site, dx] = shown.gradients[block];
    CHECK(site == "the logits");
    CHECK(same_site == "the logits");
    REQUIRE(x.shape() == dx.shape());
    double worst = 0;
    for (Index i = 0; i < x.size(); ++i) {
      worst = worse(worst, std::abs(x.at(i) - logits.at(row * 7 + i)));
      worst = worse(worst, std::abs(dx.at(i) - logits.gradient().at(row * 7 + i)));
    }
    CHECK(worst < 1e-12);
    row += x.rows();
  }
  CHECK(row == problem.tokens);
}

TEST_CASE("linear_cross_entropy: errors name the row of the whole") {
  const Index tokens = kLossRowsAtOnce + 5;
  const Tensor h = Tensor::zeros({tokens, 3}, Dtype::f32), weight = Tensor::zeros({4, 3}, Dtype::f32);
  Tensor targets = Tensor::zeros({tokens}, Dtype::i32);
  const Rows rows = Rows::single(tokens);
  REQUIRE_THROWS_WITH(linear_cross_entropy(h, Tensor::zeros({4}, Dtype::f32), {}, targets, rows),
                      ContainsSubstring("weight must have rank 2 [classes, in], got [4]"));
  REQUIRE_THROWS_WITH(linear_cross_entropy(h, Tensor::zeros({4, 2}, Dtype::f32), {}, targets, rows),
                      ContainsSubstring("the last axis of x must be the last of weight"));
  targets.set(kLossRowsAtOnce + 2, 4);
  REQUIRE_THROWS_WITH(
      linear_cross_entropy(h, weight, {}, targets, rows),
      ContainsSubstring(text("linear_cross_entropy: targets must be in [0, 4), got 4 in row ", kLossRowsAtOnce + 2)));
}
