// The whole language model: names, gradients, what it sees, what it draws, what it shows, and what it costs.
#include "nn/language_model.h"

#include <map>
#include <set>

#include "engine/storage.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

constexpr Index kVocabulary = 11;
const Pass kTraining{.training = true, .seed = 1, .step = 1, .micro_batch = 0};

std::vector<std::string> with_layers(std::vector<std::string> first, const std::vector<std::string>& last) {
  for (const std::string layer : {"layers.0.", "layers.1."}) {
    for (const char* name :
         {"attention.query.weight", "attention.query.bias", "attention.key.weight", "attention.key.bias",
          "attention.value.weight", "attention.value.bias", "attention.output.weight", "attention.output.bias",
          "attention_norm.weight", "attention_norm.bias", "feed_forward.inner.weight", "feed_forward.inner.bias",
          "feed_forward.outer.weight", "feed_forward.outer.bias", "feed_forward_norm.weight",
          "feed_forward_norm.bias"}) {
      first.push_back(layer + name);
    }
  }
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

}  // namespace

TEST_CASE("language model: the names of all parameters of each placement") {
  const LanguageModel pre(init_f64(), small_config(Placement::pre), kVocabulary, 5);
  CHECK(paths_of(pre.parameters()) == with_layers({"embedding.weight"}, {"final_norm.weight", "final_norm.bias"}));
  const LanguageModel post(init_f64(), small_config(Placement::post), kVocabulary, 5);
  CHECK(paths_of(post.parameters()) == with_layers({"embedding.weight"}, {}));
  LanguageModelConfig config = small_config(Placement::post);
  config.tie_output = false;
  config.positions = PositionKind::learned;
  const LanguageModel untied(init_f64(), config, kVocabulary, 5);
  CHECK(paths_of(untied.parameters()) == with_layers({"embedding.weight", "positions.weight"}, {"output.weight"}));

  const Index layers = 2 * (4 * (8 * 8 + 8) + (12 * 8 + 12) + (8 * 12 + 8) + 4 * 8);
  CHECK(pre.parameter_count() == 11 * 8 + layers + 16);
  CHECK(post.parameter_count() == 11 * 8 + layers);
  CHECK(untied.parameter_count() == 11 * 8 + 5 * 8 + layers + 11 * 8);
}

TEST_CASE("language model: an output matrix of its own may have a bias") {
  LanguageModelConfig config = small_config(Placement::pre);
  config.output_bias = true;
  CHECK_THROWS_WITH(LanguageModel(init_f64(), config, kVocabulary, 5),
                    "language model: an output bias needs an output matrix of its own, got tie_output and output_bias "
                    "both on");
  config.tie_output = false;
  const LanguageModel model(init_f64(), config, kVocabulary, 5);
  CHECK(paths_of(model.parameters()) ==
        with_layers({"embedding.weight"}, {"final_norm.weight", "final_norm.bias", "output.weight", "output.bias"}));
}

TEST_CASE("language model: gradient of the mean loss by every parameter") {
  const Rows rows = Rows::of_lengths({4, 1, 3});
  const Tensor inputs = random_ids(8, kVocabulary, "inputs"), targets = random_ids(8, kVocabulary, "targets");
  LanguageModelConfig config;
  Pass pass;
  SECTION("Pre-LN") { config = small_config(Placement::pre); }
  SECTION("Post-LN") { config = small_config(Placement::post); }
  SECTION("Post-LN with dropout everywhere, learned positions, GELU and an output matrix of its own") {
    config = small_config(Placement::post);
    config.positions = PositionKind::learned;
    config.activation = Activation::gelu;
    config.tie_output = false;
    config.dropout = config.attention_dropout = config.activation_dropout = 0.2;
    pass = kTraining;
  }
  const LanguageModel model(init_f64(), config, kVocabulary, 5);
  shake(model);
  check_gradients(model, {},
                  [&](const std::vector<Tensor>&) { return model.loss(inputs, rows, pass, targets, rows, 0.1).loss; });
}

TEST_CASE("language model: the loss is that of the logits, whichever matrix makes them") {
  const Rows rows = Rows::of_lengths({4, 1, 3}), predicted({0, 4, 5, 8}, {1, 1, 1, 0, 1, 1, 0, 1});
  const Tensor inputs = random_ids(8, kVocabulary, "inputs"), targets = random_ids(8, kVocabulary, "targets");
  LanguageModelConfig config = small_config(Placement::pre);
  for (const auto& [tied, bias] : {std::pair{true, false}, std::pair{false, false}, std::pair{false, true}}) {
    config.tie_output = tied;
    config.output_bias = bias;
    const LanguageModel model(init_f64(), config, kVocabulary, 5);
    shake(model);
    const CrossEntropy expected = cross_entropy(model.logits(inputs, rows, {}), targets, predicted, 0.1, 3);
    const CrossEntropy got = model.loss(inputs, rows, {}, targets, predicted, 0.1, 3);
    CHECK(got.loss.item() == Approx(expected.loss.item()).epsilon(1e-14));
    CHECK(got.nll == Approx(expected.nll).epsilon(1e-14));
    CHECK(got.tokens == 6);
  }
}

TEST_CASE("language model: every parameter gets a gradient, but the biases of the keys") {
  const Rows rows = Rows::of_lengths({5, 1, 4});
  const Tensor inputs = random_ids(10, kVocabulary, "inputs"), targets = random_ids(10, kVocabulary, "targets");
  for (const Placement placement : {Placement::pre, Placement::post}) {
    LanguageModelConfig config = small_config(placement);
    config.positions = PositionKind::learned;
    config.tie_output = false;
    const LanguageModel model(init_f64(), config, kVocabulary, 5);
    Tape tape;
    tape.backward(model.loss(inputs, rows, {}, targets, rows).loss);
    for (const Named& parameter : model.parameters()) {
      INFO(parameter.path);
      const Tensor& gradient = parameter.tensor.gradient();
      CHECK(gradient.all_finite());
      double largest = 0;
      for (const double value : gradient.values<double>()) largest = std::max(largest, std::abs(value));
      // The bias adds the same number to a query's score with every key, which the softmax takes away again.
      const bool key_bias = parameter.path.find("key.bias") != std::string::npos;
      CHECK((key_bias ? largest < 1e-12 : largest > 1e-6));
    }
  }
}

TEST_CASE("language model: no token sees the ones after it") {
  const LanguageModel model(init_f64(), small_config(Placement::pre), kVocabulary, 6);
  const Rows rows = Rows::of_lengths({6, 2});
  const Tensor inputs = random_ids(8, kVocabulary, "inputs");
  Tensor changed = inputs.clone();
  changed.set(3, static_cast<double>((static_cast<Index>(inputs.at(3)) + 1) % kVocabulary));
  const Tensor before = model.logits(inputs, rows, {}), after = model.logits(changed, rows, {});
  for (Index token = 0; token < 8; ++token) {
    bool same = true;
    for (Index j = 0; j < kVocabulary; ++j) {
      same = same && before.at(token * kVocabulary + j) == after.at(token * kVocabulary + j);
    }
    INFO("token " << token);
    CHECK(same == (token < 3 || token >= 6));
  }
}

TEST_CASE("language model: packed sequences give what each gives alone") {
  const std::vector<Index> lengths = {4, 1, 6, 3};
  const Rows rows = Rows::of_lengths(lengths);
  const Tensor inputs = random_ids(rows.tokens(), kVocabulary, "inputs");
  for (const Placement placement : {Placement::pre, Placement::post}) {
    const LanguageModel model(init_f64(), small_config(placement), kVocabulary, 6);
    shake(model);
    const Tensor packed = model.logits(inputs, rows, {});
    for (Index sequence = 0; sequence < rows.sequences(); ++sequence) {
      Tensor alone = Tensor::empty({rows.length(sequence)}, Dtype::i32);
      for (Index i = 0; i < alone.size(); ++i) alone.set(i, inputs.at(rows.begin(sequence) + i));
      const Tensor logits = model.logits(alone, Rows::single(alone.size()), {});
      double largest = 0;
      for (Index i = 0; i < logits.size(); ++i) {
        largest = worse(largest, std::abs(logits.at(i) - packed.at(rows.begin(sequence) * kVocabulary + i)));
      }
      CHECK(largest < 1e-12);
    }
  }
}

TEST_CASE("language model: dropout repeats for one step and differs between steps; each kind acts in training alone") {
  const Rows rows = Rows::of_lengths({5, 3});
  const Tensor inputs = random_ids(8, kVocabulary, "inputs");
  LanguageModelConfig none = small_config(Placement::pre);
  none.dropout = 0;
  const Tensor plain = LanguageModel(init_f64(), none, kVocabulary, 5).logits(inputs, rows, kTraining);
  for (double StackConfig::*kind :
       {&StackConfig::dropout, &StackConfig::attention_dropout, &StackConfig::activation_dropout}) {
    LanguageModelConfig config = none;
    config.*kind = 0.5;
    const LanguageModel model(init_f64(), config, kVocabulary, 5);
    CHECK(same_bits(model.logits(inputs, rows, {}), plain));
    const Tensor trained = model.logits(inputs, rows, kTraining);
    CHECK_FALSE(same_bits(trained, plain));
    CHECK(same_bits(model.logits(inputs, rows, kTraining), trained));
    Pass next = kTraining;
    next.step = 2;
    CHECK_FALSE(same_bits(model.logits(inputs, rows, next), trained));
  }
}

TEST_CASE("language model: every setting changes what comes out") {
  const Rows rows = Rows::of_lengths({5, 3});
  const Tensor inputs = random_ids(8, kVocabulary, "inputs");
  const auto logits = [&](const std::function<void(LanguageModelConfig&)>& change) {
    LanguageModelConfig config = small_config(Placement::pre);
    change(config);
    return LanguageModel(init_f64(), config, kVocabulary, 5).logits(inputs, rows, {});
  };
  const Tensor plain = logits([](LanguageModelConfig&) {});
  const std::vector<std::function<void(LanguageModelConfig&)>> changes = {
      [](LanguageModelConfig& c) { c.layers = 1; },
      [](LanguageModelConfig& c) { c.width = 16; },
      [](LanguageModelConfig& c) { c.heads = 4; },
      [](LanguageModelConfig& c) { c.feed_forward = 13; },
      [](LanguageModelConfig& c) { c.activation = Activation::gelu; },
      [](LanguageModelConfig& c) { c.placement = Placement::post; },
      [](LanguageModelConfig& c) { c.final_norm = false; },
      [](LanguageModelConfig& c) { c.norm.set("none"); },
      [](LanguageModelConfig& c) { c.positions = PositionKind::none; },
      [](LanguageModelConfig& c) { c.positions = PositionKind::learned; },
      [](LanguageModelConfig& c) { c.tie_output = false; },
      [](LanguageModelConfig& c) { c.embedding_scale = false; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO("change " << i);
    CHECK(largest_difference(logits(changes[i]), plain) > 1e-3);
  }
}

namespace {

// Keeps the sites it was shown, in order, and those whose gradient came by.
class Sites : public Observer {
 public:
  void value(const std::string& site, const Tensor&) override { values.push_back(site); }
  void gradient(const std::string& site, const Tensor&) override { gradients.insert(site); }
  std::vector<std::string> values;
  std::set<std::string> gradients;
};

}  // namespace

TEST_CASE("language model: each site is shown once, in the order of the forward, with its gradient") {
  const Rows rows = Rows::of_lengths({4, 2});
  const Tensor inputs = random_ids(6, kVocabulary, "inputs"), targets = random_ids(6, kVocabulary, "targets");
  const LanguageModel model(init_f64(), small_config(Placement::pre), kVocabulary, 5);
  Sites sites;
  Tape tape(&sites);
  tape.backward(model.loss(inputs, rows, kTraining, targets, rows).loss);
  std::vector<std::string> expected = {"embedding.out", "positions.out", "input"};
  for (const std::string layer : {"layers.0.", "layers.1."}) {
    for (const char* site : {"attention_norm.out", "attention.query.out", "attention.key.out", "attention.value.out",
                             "attention.output.out", "attention.out", "feed_forward_norm.out", "feed_forward.inner.out",
                             "feed_forward.inner_norm.out", "feed_forward.activation", "feed_forward.outer.out",
                             "feed_forward.out", "out"}) {
      expected.push_back(layer + site);
    }
  }
  for (const char* site : {"final_norm.out", "out", "logits"}) expected.emplace_back(site);
  CHECK(sites.values == expected);
  CHECK(sites.gradients == std::set<std::string>(expected.begin(), expected.end()));
}

TEST_CASE("training_size counts a model without building it and comes close to what a step takes") {
  LanguageModelConfig config;
  config.layers = 3;
  config.width = 64;
  config.heads = 4;
  config.feed_forward = 256;
  Init init;
  const Index vocabulary = 2000, length = 64, tokens = 8 * length;
  const Rows rows = Rows::equal(8, length);
  const Tensor ids = random_ids(tokens, vocabulary, "ids");
  for (const auto& [placement, inner] :
       {std::pair{Placement::pre, "none"}, std::pair{Placement::post, "none"}, std::pair{Placement::pre, "batch"}}) {
    config.placement = placement;
    config.norm_at.inner.set(inner);
    config.positions = PositionKind::learned;
    const TrainingSize size = training_size(config, vocabulary, length, tokens, Dtype::f32);
    trim_pool();
    const double before = static_cast<double>(pool_counts().bytes_in_use);
    const LanguageModel model(init, config, vocabulary, length);
    CHECK(size.parameters == model.parameter_count());
    const double built = static_cast<double>(pool_counts().bytes_in_use) - before;
    CHECK(built == Approx(size.parameter_bytes / 2).epsilon(0.1));  // values and gradients, no moments
    Peak peak;
    Tape tape(&peak);
    const Tensor loss = model.loss(ids, rows, kTraining, ids, rows).loss;
    tape.backward(loss);
    const double taken = peak.bytes - before - built;
    INFO("estimated " << size.activation_bytes << ", taken " << taken);
    CHECK(taken > 0.85 * size.activation_bytes);
    CHECK(taken < 1.15 * size.activation_bytes);
  }
  // An absurd model is counted, too, and takes nothing.
  config.layers = 1000;
  config.width = 65536;
  config.feed_forward = 1048576;
  const std::uint64_t served = pool_counts().served;
  CHECK(training_size(config, 1000000, length, tokens, Dtype::f32).bytes() > 1e15);
  CHECK(pool_counts().served == served);
}
