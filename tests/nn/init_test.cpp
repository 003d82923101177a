// Initial values: their spread, and that they depend on nothing but seed and path.
#include <map>

#include "nn/linear.h"
#include "tests/nn/support.h"

using namespace normlab;

TEST_CASE("paths are joined by dots, and the root adds none") {
  const Init root;
  CHECK(root.child("encoder").path == "encoder");
  CHECK(root.child("encoder").child("layers.0").at("weight") == "encoder.layers.0.weight");
  CHECK(root.child("encoder").child("").path == "encoder");
}

TEST_CASE("xavier draws with variance 2 / (fan in + fan out)") {
  const Linear linear(init_f64("linear"), 300, 100);
  const Tensor weight = linear.parameters()[0].tensor;
  REQUIRE(weight.shape() == Shape{100, 300});
  double sum = 0, squares = 0;
  for (const double w : weight.values<double>()) {
    sum += w;
    squares += w * w;
  }
  const double n = 30000;
  // Five standard errors of each estimate.
  CHECK(std::abs(sum / n) < 5 * std::sqrt(2.0 / 400 / n));
  CHECK(squares / n == Approx(2.0 / 400).epsilon(5 * std::sqrt(2 / n)));
  for (const double b : linear.parameters()[1].tensor.values<double>()) CHECK(b == 0);
}

TEST_CASE("query, key and value each have a fan of their own") {
  // One matrix [3 * width, width] would draw with variance 2 / (4 * width), not 2 / (2 * width).
  const MultiHeadAttention attention(init_f64("attention"), {.width = 96, .heads = 4, .causal = false, .dropout = 0});
  for (const Named& parameter : attention.parameters()) {
    if (parameter.shape.rank() != 2) continue;
    double squares = 0;
    for (const double w : parameter.tensor.values<double>()) squares += w * w;
    INFO(parameter.path);
    CHECK(squares / 9216 == Approx(1.0 / 96).epsilon(5 * std::sqrt(2.0 / 9216)));
  }
}

namespace {

std::map<std::string, Tensor> values_of(const Module& module) {
  std::map<std::string, Tensor> values;
  for (const Named& parameter : module.parameters()) values[parameter.path] = parameter.tensor;
  return values;
}

}  // namespace

TEST_CASE("models that share a seed share the values of the parameters both have") {
  LanguageModelConfig deep = small_config(Placement::pre);
  deep.layers = 3;
  const LanguageModel pre(init_f64(), deep, 11, 5);
  const LanguageModel post(init_f64(), small_config(Placement::post), 11, 5);
  const auto pre_values = values_of(pre);
  for (const auto& [path, value] : values_of(post)) {
    INFO(path);
    REQUIRE(pre_values.count(path) == 1);
    CHECK(same_bits(pre_values.at(path), value));
  }

  Init other = init_f64();
  other.seed = 2;
  const LanguageModel another(other, deep, 11, 5);
  const auto other_values = values_of(another);
  CHECK_FALSE(same_bits(pre_values.at("embedding.weight"), other_values.at("embedding.weight")));
  CHECK_FALSE(same_bits(pre_values.at("layers.0.attention.query.weight"),
                        pre_values.at("layers.1.attention.query.weight")));
  CHECK_FALSE(same_bits(pre_values.at("layers.0.attention.query.weight"),
                        pre_values.at("layers.0.attention.key.weight")));
}

TEST_CASE("f32 parameters are the f64 ones rounded") {
  Init f32 = init_f64();
  f32.dtype = Dtype::f32;
  const LanguageModel wide(init_f64(), small_config(Placement::pre), 11, 5);
  const LanguageModel narrow(f32, small_config(Placement::pre), 11, 5);
  const auto narrow_values = values_of(narrow);
  for (const auto& [path, value] : values_of(wide)) {
    INFO(path);
    CHECK(same_bits(value.cast(Dtype::f32), narrow_values.at(path)));
  }
}
