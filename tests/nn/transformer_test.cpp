// Layers and stacks: gradients, names, the final norm, and what a bidirectional stack sees.
#include "nn/transformer.h"

#include "tests/nn/support.h"

using namespace normlab;

TEST_CASE("transformer layer: gradient of both placements") {
  const Rows rows = Rows::of_lengths({3, 1, 2});
  for (const Placement placement : {Placement::pre, Placement::post}) {
    const TransformerLayer layer(init_f64("layer"), small_config(placement), true);
    shake(layer);
    const Pass pass{.training = true, .seed = 1, .step = 1, .micro_batch = 0};
    check_gradients(layer, {random_tensor({6, 8}, "x")},
                    [&](const std::vector<Tensor>& in) { return layer.forward(in[0], rows, pass); });
  }
}

TEST_CASE("stack: gradient of a bidirectional stack with a final norm") {
  const Rows rows = Rows::of_lengths({3, 1, 2});
  const Stack stack(init_f64("encoder"), small_config(Placement::pre), false);
  shake(stack);
  check_gradients(stack, {random_tensor({6, 8}, "x")},
                  [&](const std::vector<Tensor>& in) { return stack.forward(in[0], rows, {}); });
}

TEST_CASE("each residual branch of a stack has a dropout of its own") {
  // With half of each of the four branches dropped independently, 1 feature in 16 goes through unchanged. Two branches
  // that shared their random numbers would make it 1 in 8.
  StackConfig config = small_config(Placement::pre);
  config.final_norm = false;
  config.dropout = 0.5;
  const Stack stack(init_f64("encoder"), config, false);
  const Rows rows = Rows::equal(16, 16);
  const Tensor x = random_tensor({256, 8}, "x");
  const Tensor y = stack.forward(x, rows, {.training = true, .seed = 1, .step = 1, .micro_batch = 0});
  Index unchanged = 0;
  for (Index i = 0; i < x.size(); ++i) unchanged += x.at(i) == y.at(i);
  CHECK(static_cast<double>(unchanged) / 2048 == Approx(1.0 / 16).margin(0.02));
}

TEST_CASE("the final norm is there when the config says so, whatever the placement") {
  for (const Placement placement : {Placement::pre, Placement::post}) {
    for (const bool final_norm : {false, true}) {
      StackConfig config = small_config(placement);
      config.final_norm = final_norm;
      const Stack stack(init_f64("encoder"), config, false);
      const auto paths = paths_of(stack.parameters());
      CHECK(std::count(paths.begin(), paths.end(), "encoder.final_norm.weight") == (final_norm ? 1 : 0));
      const Index layer = 4 * (8 * 8 + 8) + (12 * 8 + 12) + (8 * 12 + 8) + 4 * 8;
      CHECK(stack.parameter_count() == 2 * layer + (final_norm ? 16 : 0));
    }
  }
}

TEST_CASE("a bidirectional stack looks ahead, a causal one does not, and neither into another sequence") {
  const Rows rows = Rows::of_lengths({4, 3});
  const Tensor x = random_tensor({7, 8}, "x");
  Tensor changed = x.clone();
  for (Index j = 0; j < 8; ++j) changed.set(2 * 8 + j, changed.at(2 * 8 + j) + 0.1 * static_cast<double>(j));
  for (const bool causal : {false, true}) {
    const Stack stack(init_f64("encoder"), small_config(Placement::post), causal);
    const Tensor before = stack.forward(x, rows, {}), after = stack.forward(changed, rows, {});
    for (Index token = 0; token < 7; ++token) {
      bool same = true;
      for (Index j = 0; j < 8; ++j) same = same && before.at(token * 8 + j) == after.at(token * 8 + j);
      INFO("causal " << causal << ", token " << token);
      CHECK(same == (token >= 4 || (causal && token < 2)));
    }
  }
}
