// The pre-scale in front of a norm: its value, its groups, its place.
#include "nn/norm/pre_scale.h"

#include <cmath>

#include "tests/nn/support.h"

using namespace normlab;

namespace {

NormConfig config_of(const std::string& kind, PreScale pre_scale, Index groups = 0) {
  NormConfig config(kind);
  config.pre_scale = pre_scale;
  config.pre_scale_groups = groups;
  return config;
}

}  // namespace

TEST_CASE("a pre-scale divides each run by its root mean square and goes on to the norm, in evaluation too") {
  const Tensor x = random_tensor({5, 6}, "x");
  struct Case {
    PreScale kind;
    Index groups, heads, expected;
  };
  for (const Case& c :
       {Case{PreScale::rms, 0, 3, 1}, Case{PreScale::grouped_rms, 0, 3, 3}, Case{PreScale::grouped_rms, 2, 3, 2}}) {
    const auto scaled = config_of("layer", c.kind, c.groups).make(init_f64("norm"), 6, c.heads);
    const auto plain = config_of("layer", PreScale::none).make(init_f64("norm"), 6, c.heads);
    shake(*scaled);
    shake(*plain);
    Tensor by_hand = Tensor::empty({5, 6}, Dtype::f64);
    const Index run = 6 / c.expected;
    for (Index at = 0; at < 30; at += run) {
      double squares = 0;
      for (Index j = 0; j < run; ++j) squares += x.at(at + j) * x.at(at + j) / static_cast<double>(run);
      for (Index j = 0; j < run; ++j) by_hand.set(at + j, x.at(at + j) / std::sqrt(squares + 1e-5));
    }
    for (const bool training : {false, true}) {
      const Pass pass{.training = training, .seed = 1, .step = 1};
      CHECK(largest_difference(scaled->forward(x, Rows::single(5), pass),
                               plain->forward(by_hand, Rows::single(5), pass)) < 1e-13);
    }
  }
}

TEST_CASE("a pre-scale stands at the norm's own path and has no parameters") {
  const auto norm = config_of("batch", PreScale::rms).make(init_f64("norm"), 6, 2);
  CHECK(paths_of(norm->parameters()) == std::vector<std::string>{"norm.weight", "norm.bias"});
  CHECK(paths_of(norm->buffers()) == std::vector<std::string>{"norm.running_mean", "norm.running_variance"});
  CHECK_FALSE(norm->affine());
  const auto plain = config_of("batch", PreScale::none).make(init_f64("norm"), 6, 2);
  CHECK(norm->passes().forward == plain->passes().forward + 2);
  CHECK(norm->passes().backward == plain->passes().backward + 3);
}

TEST_CASE("the groups of a pre-scale must divide the features") {
  CHECK(config_of("layer", PreScale::grouped_rms, 4).problem(8, 2).empty());
  CHECK(config_of("layer", PreScale::grouped_rms, 4).problem(6, 2) ==
        "the groups of the pre-scale must divide the features, got 4 groups and 6 features; set pre_scale_groups");
}
