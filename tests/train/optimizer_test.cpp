// Optimizers against their formulas worked by hand and against ten steps of PyTorch's; gradient norms and clipping.
#include "train/optimizer.h"

#include <cmath>
#include <limits>
#include <utility>

#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/support/catch.h"
#include "tests/train/set_options.h"
#include "train/optimizer/radam.h"
#include "train/safetensors.h"

using namespace normlab;

namespace {

Named parameter(const std::string& path, Tensor value) {
  value.require_gradient();
  return {path, value, value.shape()};
}

Named parameter(const std::string& path, const std::vector<double>& values) {
  return parameter(path, Tensor::from<double>({static_cast<Index>(values.size())}, values));
}

std::unique_ptr<Optimizer> make(const std::string& kind, const std::string& options,
                                const std::vector<Named>& parameters) {
  OptimizerConfig config(kind);
  test::set_options(*config, options);
  return config->make(parameters);
}

double worst_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  double difference = 0;
  for (Index i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b.at(i)));
    difference = std::max(difference, std::abs(a.at(i) - b.at(i)));
  }
  return difference / largest;
}

}  // namespace

TEST_CASE("Ten steps are PyTorch's", "[optimizer]") {
  const auto stored = read_safetensors(NORMLAB_SOURCE_DIR "/tests/reference/optimizers.safetensors").tensors;
  struct Case {
    std::string name, kind, options;
  };
  const std::vector<Case> cases = {
      {"adam", "adam", R"({"beta1": 0.8, "beta2": 0.95, "epsilon": 0.1})"},
      {"adamw", "adamw", R"({"beta2": 0.98, "epsilon": 1e-6, "weight_decay": 0.3})"},
      {"sgd", "sgd", "{}"},
      {"momentum", "sgd", R"({"momentum": 0.7})"},
      {"nesterov", "sgd", R"({"momentum": 0.7, "nesterov": true})"},
      {"radam", "radam", R"({"beta1": 0.8, "beta2": 0.98, "epsilon": 0.1, "threshold": 5})"},
      {"radam_never_rectified", "radam", R"({"beta2": 0.6, "epsilon": 0.1, "threshold": 5})"},
  };
  for (const Case& one : cases) {
    for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
      INFO(one.name << ' ' << dtype);
      const Tensor gradients = stored.at(one.name + ".gradients").cast(dtype);
      const std::vector<Named> parameters = {parameter("weight", stored.at(one.name + ".start").cast(dtype))};
      const auto optimizer = make(one.kind, one.options, parameters);
      const Tensor& weight = parameters[0].tensor;
      for (Index step = 0; step < 10; ++step) {
        for (Index i = 0; i < weight.size(); ++i) weight.gradient().set(i, gradients.at(step * weight.size() + i));
        optimizer->step(0.01 * static_cast<double>(step + 1), 1);
      }
      CHECK(worst_difference(weight, stored.at(one.name + ".end")) < (dtype == Dtype::f64 ? 1e-14 : 1e-6));
    }
  }
}

TEST_CASE("Adam's first step is rate * g / (|g| + epsilon)", "[optimizer]") {
  const std::vector<Named> parameters = {parameter("weight", {1, 1, 1})};
  const auto adam = make("adam", R"({"epsilon": 0.5})", parameters);
  Tensor& gradient = parameters[0].tensor.gradient();
  gradient.set(0, 4);
  gradient.set(1, -0.01);
  adam->step(0.1, 1);
  CHECK(parameters[0].tensor.at(0) == Approx(1 - 0.1 * 4 / (4 + 0.5)).epsilon(1e-14));
  CHECK(parameters[0].tensor.at(1) == Approx(1 + 0.1 * 0.01 / (0.01 + 0.5)).epsilon(1e-14));
  CHECK(parameters[0].tensor.at(2) == 1);
}

TEST_CASE("AdamW's decay does not pass through the moments and spares what it is told to", "[optimizer]") {
  const std::vector<Named> parameters = {parameter("linear.weight", {2}), parameter("linear.bias", {2}),
                                         parameter("layers.0.attention_norm.weight", {2})};
  SECTION("by default biases and norm weights") {
    make("adamw", R"({"weight_decay": 0.25})", parameters)->step(0.1, 1);  // zero gradients: nothing but decay
    CHECK(parameters[0].tensor.at(0) == Approx(2 * (1 - 0.1 * 0.25)).epsilon(1e-15));
    CHECK(parameters[1].tensor.at(0) == 2);
    CHECK(parameters[2].tensor.at(0) == 2);
  }
  SECTION("patterns of one's own") {
    make("adamw", R"({"weight_decay": 0.25, "spare": ["linear.*"]})", parameters)->step(0.1, 1);
    CHECK(parameters[0].tensor.at(0) == 2);
    CHECK(parameters[1].tensor.at(0) == 2);
    CHECK(parameters[2].tensor.at(0) < 2);
  }
}

TEST_CASE("Frozen steps gather the moments and leave the parameters", "[optimizer]") {
  for (const std::string kind : {"adam", "adamw", "radam"}) {
    CAPTURE(kind);
    const std::vector<Named> frozen = {parameter("weight", {1, 2})};
    std::vector<Named> free = {parameter("weight", {1, 2})};
    const auto with_frozen = make(kind, R"({"frozen_steps": 2})", frozen), without = make(kind, "{}", free);
    const auto take_step = [](Optimizer& optimizer, const std::vector<Named>& parameters, double gradient) {
      parameters[0].tensor.gradient().fill(gradient);
      optimizer.step(0.1, 1);
    };
    for (const double gradient : {3.0, -1.0}) {
      take_step(*with_frozen, frozen, gradient);
      take_step(*without, free, gradient);
      CHECK(frozen[0].tensor.at(0) == 1);
      CHECK(frozen[0].tensor.at(1) == 2);
      CHECK(frozen[0].tensor.gradient().at(0) == 0);
    }
    // The moments do not depend on the parameters, so that the third update is that of an optimizer never frozen.
    for (Index i = 0; i < 2; ++i) free[0].tensor.set(i, frozen[0].tensor.at(i));
    take_step(*with_frozen, frozen, 2);
    take_step(*without, free, 2);
    CHECK(frozen[0].tensor.at(0) == free[0].tensor.at(0));
    CHECK(frozen[0].tensor.at(0) < 1);
  }
}

TEST_CASE("RAdam's averaging length and rectification are their closed forms", "[optimizer]") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(averaging_length(0.98, infinity) == Approx(99).epsilon(1e-12));
  CHECK(averaging_length(0.999, infinity) == Approx(1999).epsilon(1e-12));
  CHECK(averaging_length(0, 1) == 1);
  for (const double beta2 : {0.6, 0.98, 0.999}) {
    // t = 1: 2 / (1 - b) - 1 - 2 b / (1 - b) = 1; t = 2: 1 + 2 b / (1 + b).
    CHECK(averaging_length(beta2, 1) == Approx(1).epsilon(1e-10));
    CHECK(averaging_length(beta2, 2) == Approx(1 + 2 * beta2 / (1 + beta2)).epsilon(1e-10));
    // The centre of mass of the weights b^(t - i): rho = 2 sum_i (t + 1 - i) b^(t - i) / sum_i b^(t - i) - 1.
    double weighted = 0, weights = 0;
    for (int age = 0; age < 7; ++age) {
      weighted += (age + 1) * std::pow(beta2, age);
      weights += std::pow(beta2, age);
    }
    CHECK(averaging_length(beta2, 7) == Approx(2 * weighted / weights - 1).epsilon(1e-10));
  }
  CHECK(rectification(0.98, averaging_length(0.98, infinity)) == Approx(1).epsilon(1e-12));
  CHECK(rectification(0.98, 5) == Approx(std::sqrt(1.0 * 3 * 99 / (95.0 * 97 * 5))).epsilon(1e-12));
  CHECK(rectification(0.999, averaging_length(0.999, 1e6)) == Approx(1).epsilon(1e-9));
  REQUIRE_THROWS_WITH(rectification(0.98, 4), ContainsSubstring("must be above 4, got 4"));
}

TEST_CASE("RAdam is algorithm 2 of Liu et al. 2020, at either threshold and by either rule below it", "[optimizer]") {
  const double beta1 = 0.8, beta2 = 0.97, epsilon = 0.01;
  for (const double threshold : {4.0, 5.0}) {
    for (const bool skip : {false, true}) {
      CAPTURE(threshold, skip);
      const std::vector<Named> parameters = {parameter("weight", {2})};
      const auto radam = make("radam",
                              text(R"({"beta1": 0.8, "beta2": 0.97, "epsilon": 0.01, "threshold": )", threshold,
                                   R"(, "below": ")", skip ? "skip" : "momentum", "\"}"),
                              parameters);
      double p = 2, m = 0, v = 0;
      int unrectified = 0;
      for (int t = 1; t <= 12; ++t) {
        const double g = std::cos(t), rate = 0.1 * t;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        const double mean = m / (1 - std::pow(beta1, t));
        const double rho_inf = 2 / (1 - beta2) - 1;
        const double rho = rho_inf - 2 * t * std::pow(beta2, t) / (1 - std::pow(beta2, t));
        if (rho > threshold) {
          const double r = std::sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho));
          p -= rate * r * mean * std::sqrt(1 - std::pow(beta2, t)) / (std::sqrt(v) + epsilon);
        } else {
          ++unrectified;
          if (!skip) p -= rate * mean;
        }
        parameters[0].tensor.gradient().fill(g);
        radam->step(rate, 1);
        CHECK(parameters[0].tensor.at(0) == Approx(p).epsilon(1e-13));
        if (skip && rho <= threshold) CHECK(parameters[0].tensor.at(0) == 2);
      }
      CHECK(unrectified == (threshold == 4 ? 4 : 5));
    }
  }
}

TEST_CASE("RAdam says which thresholds and rules it takes", "[optimizer]") {
  REQUIRE_THROWS_WITH(make("radam", R"({"threshold": 3})", {}), ContainsSubstring("threshold"));
  REQUIRE_THROWS_WITH(make("radam", R"({"below": "sgd"})", {}), ContainsSubstring("momentum"));
  REQUIRE_THROWS_WITH(make("adam", R"({"frozen_steps": -1})", {}), ContainsSubstring("frozen_steps"));
}

TEST_CASE("SGD with momentum sums the directions", "[optimizer]") {
  const std::vector<Named> parameters = {parameter("weight", {0})};
  const auto sgd = make("sgd", R"({"momentum": 0.5})", parameters);
  for (int i = 0; i < 3; ++i) {
    parameters[0].tensor.gradient().fill(1);
    sgd->step(1, 1);
  }
  CHECK(parameters[0].tensor.at(0) == -(1 + 1.5 + 1.75));
  REQUIRE_THROWS_WITH(make("sgd", R"({"nesterov": true})", parameters), ContainsSubstring("momentum above 0"));
}

TEST_CASE("An optimizer goes on from its saved state as if it had never stopped", "[optimizer]") {
  for (const std::string kind : {"adam", "adamw", "radam", "sgd"}) {
    const std::string options = kind == "sgd" ? R"({"momentum": 0.9})" : "{}";
    const std::vector<Named> a = {parameter("weight", {1, 2, 3})};
    const std::vector<Named> b = {parameter("weight", {1, 2, 3})};
    const auto never_stopped = make(kind, options, a);
    const auto stopped = make(kind, options, b);
    const auto take_step = [](Optimizer& optimizer, const std::vector<Named>& parameters, int step) {
      parameters[0].tensor.gradient().fill(1.0 / step);
      optimizer.step(0.1, 1);
    };
    for (int step = 1; step <= 2; ++step) {
      take_step(*never_stopped, a, step);
      take_step(*stopped, b, step);
    }
    const auto resumed = make(kind, options, b);
    const std::vector<Named> saved = stopped->state();
    std::vector<Named> restored = resumed->state();
    REQUIRE(saved.size() == restored.size());
    for (std::size_t i = 0; i < saved.size(); ++i) {
      CHECK(saved[i].path == restored[i].path);
      restored[i].tensor.copy_from(saved[i].tensor);
    }
    take_step(*never_stopped, a, 3);
    take_step(*resumed, b, 3);
    for (Index i = 0; i < 3; ++i) CHECK(a[0].tensor.at(i) == b[0].tensor.at(i));
  }
}

TEST_CASE("Optimizers take leaves only", "[optimizer]") {
  const Named no_leaf = {"weight", Tensor::zeros({2}, Dtype::f32), {2}};
  REQUIRE_THROWS_WITH(make("adam", "{}", {no_leaf}), ContainsSubstring("must be leaves of f32 or f64, weight is not"));
}

TEST_CASE("A step takes the gradients times the factor and leaves them zero", "[optimizer]") {
  struct Case {
    std::string kind, options;
  };
  const std::vector<Case> cases = {{"adam", R"({"epsilon": 0.5})"},
                                   {"adamw", R"({"epsilon": 0.5, "weight_decay": 0.1})"},
                                   {"radam", R"({"beta2": 0.98, "epsilon": 0.5})"},
                                   {"sgd", "{}"},
                                   {"sgd", R"({"momentum": 0.5})"},
                                   {"sgd", R"({"momentum": 0.5, "nesterov": true})"}};
  for (const auto& [kind, options] : cases) {
    CAPTURE(kind, options);
    const std::vector<Named> whole = {parameter("a", {1, 2, 3}), parameter("b", {4})};
    const std::vector<Named> halves = {parameter("a", {1, 2, 3}), parameter("b", {4})};
    const auto with_whole = make(kind, options, whole), with_halves = make(kind, options, halves);
    for (const double gradient : {2.0, -5.0}) {
      for (std::size_t i = 0; i < whole.size(); ++i) {
        whole[i].tensor.gradient().fill(gradient);
        halves[i].tensor.gradient().fill(2 * gradient);
      }
      with_whole->step(0.1, 1);
      with_halves->step(0.1, 0.5);
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (Index j = 0; j < whole[i].tensor.size(); ++j) {
        CHECK(halves[i].tensor.at(j) == whole[i].tensor.at(j));
        CHECK(halves[i].tensor.gradient().at(j) == 0);
      }
    }
    CHECK(whole[0].tensor.at(0) != 1);
  }
}

TEST_CASE("Gradients are clipped by one factor, of their joint norm", "[optimizer]") {
  const std::vector<Named> parameters = {parameter("a", {0, 0}), parameter("b", Tensor::zeros({1}, Dtype::f32))};
  CHECK(gradient_norm(parameters) == 0);
  parameters[0].tensor.gradient().set(0, 2);
  parameters[0].tensor.gradient().set(1, 3);
  parameters[1].tensor.gradient().set(0, 6);
  CHECK(gradient_norm(parameters) == 7);
  CHECK(clip_factor(7, 3.5) == 0.5);
  CHECK(clip_factor(7, 7) == 1);  // at the bound: left alone
  CHECK(clip_factor(7, 0) == 1);  // no bound
  CHECK(clip_factor(0, 7) == 1);

  // What is not finite is not scaled to nothing.
  const double infinity = std::numeric_limits<double>::infinity();
  parameters[0].tensor.gradient().set(0, infinity);
  CHECK(gradient_norm(parameters) == infinity);
  CHECK(clip_factor(infinity, 1) == 1);
  parameters[0].tensor.gradient().set(0, std::nan(""));
  CHECK(std::isnan(gradient_norm(parameters)));
  CHECK(clip_factor(std::nan(""), 1) == 1);
}

TEST_CASE("A gradient norm whose square leaves float32 is still finite", "[optimizer]") {
  const std::vector<Named> parameters = {parameter("a", Tensor::zeros({4}, Dtype::f32))};
  parameters[0].tensor.gradient().fill(1e30);
  CHECK(gradient_norm(parameters) == Approx(2e30));
}

TEST_CASE("Norms, clipping and steps have the same bits on any number of threads", "[optimizer]") {
  const int before = threads();
  std::vector<double> norms;
  std::vector<Tensor> results;
  for (int count : {1, 2, 4}) {
    set_threads(count);
    Tensor values = Tensor::empty({301, 703}, Dtype::f32);
    fill_normal(values, random_stream(1, "values"), 0, 1);
    const std::vector<Named> parameters = {parameter("a", values), parameter("b", Tensor::zeros({5}, Dtype::f32))};
    fill_normal(parameters[0].tensor.gradient(), random_stream(1, "gradient"), 0, 1);
    norms.push_back(gradient_norm(parameters));
    for (const std::string kind : {"adam", "radam"}) {
      make(kind, "{}", parameters)->step(1e-3, clip_factor(norms.back(), 1));
      fill_normal(parameters[0].tensor.gradient(), random_stream(1, kind), 0, 1);
    }
    results.push_back(parameters[0].tensor);
  }
  set_threads(before);
  CHECK(norms[0] == Approx(std::sqrt(301.0 * 703.0)).epsilon(0.01));
  for (std::size_t i : {1u, 2u}) {
    CHECK(norms[i] == norms[0]);
    const auto a = std::as_const(results[0]).values<float>();
    const auto b = std::as_const(results[i]).values<float>();
    CHECK(std::equal(a.begin(), a.end(), b.begin()));
  }
}
