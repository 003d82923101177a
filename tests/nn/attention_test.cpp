// Multi-head attention: gradients of self and cross attention, and what each token can see.
#include "nn/attention.h"

#include "tests/nn/support.h"

using namespace normlab;

TEST_CASE("attention: names and number of parameters") {
  const MultiHeadAttention attention(init_f64("attention"), {.width = 6, .heads = 3, .causal = false, .dropout = 0});
  CHECK(paths_of(attention.parameters()) ==
        std::vector<std::string>{"attention.query.weight", "attention.query.bias", "attention.key.weight",
                                 "attention.key.bias", "attention.value.weight", "attention.value.bias",
                                 "attention.output.weight", "attention.output.bias"});
  CHECK(attention.parameter_count() == 4 * (36 + 6));
  CHECK_THROWS_WITH(MultiHeadAttention(init_f64("a"), {.width = 6, .heads = 4, .causal = false, .dropout = 0}),
                    "a: width must be divisible by heads, got width 6 and heads 4");
}

TEST_CASE("attention: gradient of self attention, causal or not, with and without dropout") {
  const Rows rows = Rows::of_lengths({3, 1, 4});
  for (const bool causal : {false, true}) {
    const MultiHeadAttention attention(init_f64("attention"),
                                       {.width = 6, .heads = 2, .causal = causal, .dropout = 0.3});
    shake(attention);
    for (const bool training : {false, true}) {
      const Pass pass{.training = training, .seed = 1, .step = 1, .micro_batch = 0};
      check_gradients(attention, {random_tensor({8, 6}, "x")},
                      [&](const std::vector<Tensor>& in) { return attention.forward(in[0], in[0], rows, rows, pass); });
    }
  }
}

TEST_CASE("attention: each module drops probabilities of its own") {
  const MultiHeadAttentionOptions options{.width = 6, .heads = 2, .causal = false, .dropout = 0.5};
  const MultiHeadAttention a(init_f64("layers.0.attention"), options), b(init_f64("layers.1.attention"), options);
  same_parameters(a, b);
  const Tensor x = random_tensor({8, 6}, "x");
  const Rows rows = Rows::single(8);
  const auto of = [&](const MultiHeadAttention& module, bool training) {
    return module.forward(x, x, rows, rows, {.training = training, .seed = 1, .step = 1});
  };
  CHECK(same_bits(of(a, false), of(b, false)));
  CHECK(same_bits(of(a, true), of(a, true)));
  CHECK(largest_difference(of(a, true), of(b, true)) > 1e-3);
}

TEST_CASE("attention: gradient of cross attention between sequences of different lengths") {
  const Rows queries = Rows::of_lengths({2, 3}), keys = Rows::of_lengths({4, 2});
  const MultiHeadAttention attention(init_f64("attention"), {.width = 6, .heads = 2, .causal = false, .dropout = 0});
  shake(attention);
  check_gradients(attention, {random_tensor({5, 6}, "queries"), random_tensor({6, 6}, "keys")},
                  [&](const std::vector<Tensor>& in) { return attention.forward(in[0], in[1], queries, keys, {}); });
}
