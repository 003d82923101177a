// Optimizers against their formulas worked by hand and against ten steps of PyTorch's; gradient norms and clipping.
#include "train/optimizer.h"

#include <cmath>
#include <limits>
#include <utility>

#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/support/catch.h"
#include "tests/train/set_options.h"
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
  for (const std::string kind : {"adam", "adamw", "sgd"}) {
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
    const auto adam = make("adam", "{}", parameters);
    norms.push_back(gradient_norm(parameters));
    adam->step(1e-3, clip_factor(norms.back(), 1));
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
