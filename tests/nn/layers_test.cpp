// The small modules: linear, embedding, positions, dropout, layer norm, feed-forward network.
#include "engine/ops/elementwise.h"
#include "engine/ops/product.h"
#include "nn/norm/layer.h"
#include "tests/nn/support.h"

using namespace normlab;

TEST_CASE("linear: parameters and gradient") {
  const Linear linear(init_f64("linear"), 5, 3);
  shake(linear);
  CHECK(linear.parameter_count() == 3 * 5 + 3);
  CHECK(Linear(init_f64(), 5, 3, false).parameter_count() == 3 * 5);
  check_gradients(linear, {random_tensor({4, 5}, "x")},
                  [&](const std::vector<Tensor>& in) { return linear.forward(in[0]); });
}

TEST_CASE("embedding: a row for each id times the factor, and the matrix for a tied output") {
  const Embedding embedding(init_f64("embedding"), 6, 4, 3);
  const Tensor weight = embedding.parameters()[0].tensor;
  const Tensor ids = Tensor::from<std::int32_t>({3}, std::vector<std::int32_t>{5, 0, 5});
  const Tensor y = embedding.forward(ids);
  for (Index j = 0; j < 4; ++j) {
    CHECK(y.at(j) == 3 * weight.at(5 * 4 + j));
    CHECK(y.at(4 + j) == 3 * weight.at(j));
  }
  CHECK(embedding.weight().raw() == weight.raw());
  check_gradients(embedding, {},
                  [&](const std::vector<Tensor>&) { return linear(embedding.forward(ids), embedding.weight()); });
}

TEST_CASE("sinusoidal positions follow Vaswani et al. 3.5") {
  const Tensor table = sinusoidal_table(7, 5, Dtype::f64);
  CHECK(table.at(0) == 0);
  CHECK(table.at(1) == 1);
  CHECK(table.at(3 * 5 + 0) == Approx(std::sin(3.0)));
  CHECK(table.at(3 * 5 + 1) == Approx(std::cos(3.0)));
  CHECK(table.at(6 * 5 + 2) == Approx(std::sin(6 / std::pow(10000, 2.0 / 5))));
  CHECK(table.at(6 * 5 + 3) == Approx(std::cos(6 / std::pow(10000, 2.0 / 5))));
  CHECK(table.at(6 * 5 + 4) == Approx(std::sin(6 / std::pow(10000, 4.0 / 5))));
}

TEST_CASE("positions count anew in each sequence") {
  const Rows rows = Rows::of_lengths({2, 1, 3});
  const Tensor x = random_tensor({6, 4}, "x");
  const Index expected[] = {0, 1, 0, 0, 1, 2};
  for (const PositionKind kind : {PositionKind::sinusoidal, PositionKind::learned}) {
    const Positions positions(init_f64("positions"), kind, 3, 4);
    const bool learned = kind == PositionKind::learned;
    CHECK(positions.parameter_count() == (learned ? 12 : 0));
    const Tensor table = learned ? positions.parameters()[0].tensor : sinusoidal_table(3, 4, Dtype::f64);
    const Tensor y = positions.forward(x, rows);
    for (Index i = 0; i < 6; ++i) {
      for (Index j = 0; j < 4; ++j) CHECK(y.at(i * 4 + j) == x.at(i * 4 + j) + table.at(expected[i] * 4 + j));
    }
    check_gradients(positions, {x}, [&](const std::vector<Tensor>& in) { return positions.forward(in[0], rows); });
    CHECK_THROWS_WITH(positions.forward(x, Rows::of_lengths({2, 4})),
                      "positions: positions: sequences must have at most 3 tokens, got one of 4");
  }
  const Positions none(init_f64("positions"), PositionKind::none, 3, 4);
  CHECK(none.parameter_count() == 0);
  CHECK(same_bits(none.forward(x, Rows::single(6)), x));
}

TEST_CASE("dropout differs by site, step, micro-batch and seed, and repeats where all are the same") {
  const Tensor x = Tensor::full({40, 5}, Dtype::f64, 1);
  const Pass pass{.training = true, .seed = 1, .step = 4, .micro_batch = 0};
  const Dropout site{0.5, "layers.0.attention_residual"};
  const Tensor y = site(x, pass);
  for (const double value : y.values<double>()) CHECK((value == 0 || value == 2));
  CHECK(same_bits(site(x, pass), y));
  CHECK_FALSE(same_bits(Dropout{0.5, "layers.1.attention_residual"}(x, pass), y));
  Pass other = pass;
  other.step = 5;
  CHECK_FALSE(same_bits(site(x, other), y));
  other = pass;
  other.micro_batch = 1;
  CHECK_FALSE(same_bits(site(x, other), y));
  other = pass;
  other.seed = 2;
  CHECK_FALSE(same_bits(site(x, other), y));
  other = pass;
  other.training = false;
  CHECK(same_bits(site(x, other), x));
}

TEST_CASE("layer norm: parameters and gradient") {
  LayerNorm norm(init_f64("norm"), 6, 0.1);
  const Tensor x = random_tensor({4, 6}, "x");
  CHECK(paths_of(norm.parameters()) == std::vector<std::string>{"norm.weight", "norm.bias"});
  CHECK(norm.parameter_count() == 12);
  CHECK(norm.exact_gradient());
  shake(norm);
  check_gradients(norm, {x}, [&](const std::vector<Tensor>& in) { return norm.forward(in[0], Rows::single(4), {}); });

  // One row by hand: epsilon stands inside the root, the variance divides by the number of features.
  double mean = 0, variance = 0;
  for (Index j = 0; j < 6; ++j) mean += x.at(j) / 6;
  for (Index j = 0; j < 6; ++j) variance += (x.at(j) - mean) * (x.at(j) - mean) / 6;
  const Tensor y = norm.forward(x, Rows::single(4), {});
  const Tensor weight = norm.parameters()[0].tensor, bias = norm.parameters()[1].tensor;
  for (Index j = 0; j < 6; ++j) {
    CHECK(y.at(j) == Approx(weight.at(j) * (x.at(j) - mean) / std::sqrt(variance + 0.1) + bias.at(j)));
  }
}

TEST_CASE("a norm is chosen by its kind") {
  const NormConfig layer("layer");
  CHECK(layer->make(init_f64("norm"), 6)->parameter_count() == 12);
  const NormConfig none("none");
  const auto norm = none->make(init_f64("norm"), 6);
  CHECK(norm->parameter_count() == 0);
  const Tensor x = random_tensor({4, 6}, "x");
  CHECK(same_bits(norm->forward(x, Rows::single(4), {}), x));
  CHECK_THROWS_WITH(NormConfig("lyer"), ContainsSubstring("lyer"));
}

TEST_CASE("feed-forward network: parameters and gradient with either activation and with dropout") {
  for (const Activation activation : {Activation::relu, Activation::gelu}) {
    const FeedForward network(init_f64("ffn"), {.width = 4, .inner = 7, .activation = activation, .dropout = 0.3});
    CHECK(network.parameter_count() == 7 * 4 + 7 + 4 * 7 + 4);
    shake(network);
    const Rows rows = Rows::single(5);
    for (const bool training : {false, true}) {
      const Pass pass{.training = training, .seed = 1, .step = 1, .micro_batch = 0};
      check_gradients(network, {random_tensor({5, 4}, "x")},
                      [&](const std::vector<Tensor>& in) { return network.forward(in[0], rows, pass); });
    }
  }
}

TEST_CASE("feed-forward: each module drops activations of its own") {
  for (const Activation activation : {Activation::relu, Activation::gelu}) {
    const FeedForwardOptions options{.width = 6, .inner = 12, .activation = activation, .dropout = 0.5};
    const FeedForward a(init_f64("layers.0.feed_forward"), options), b(init_f64("layers.1.feed_forward"), options);
    same_parameters(a, b);
    const Tensor x = random_tensor({8, 6}, "x");
    const auto of = [&](const FeedForward& module, bool training) {
      return module.forward(x, Rows::single(8), {.training = training, .seed = 1, .step = 1});
    };
    CHECK(same_bits(of(a, false), of(b, false)));
    CHECK(same_bits(of(a, true), of(a, true)));
    CHECK(largest_difference(of(a, true), of(b, true)) > 1e-3);
  }
}
