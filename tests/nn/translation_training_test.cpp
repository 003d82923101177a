// Training a translation model: its gradients, those of a model that recomputes, and the memory a step takes.
#include "engine/storage.h"
#include "nn/translation_model.h"
#include "tests/nn/sentences.h"

using namespace normlab;

TEST_CASE("decoder layer: gradient of both placements") {
  const Rows rows = Rows::of_lengths({3, 1, 2}), source_rows = Rows::of_lengths({2, 4, 1});
  for (const Placement placement : {Placement::pre, Placement::post}) {
    const DecoderLayer layer(init_f64("layer"), small_config(placement));
    shake(layer);
    check_gradients(
        layer, {random_tensor({6, 8}, "x"), random_tensor({7, 8}, "source")},
        [&](const std::vector<Tensor>& in) { return layer.forward(in[0], rows, in[1], source_rows, kTraining); });
  }
}

TEST_CASE("translation model: gradient of the mean loss by every parameter") {
  TranslationModelConfig config;
  Pass pass;
  SECTION("Pre-LN, one matrix for all") { config = small_translation_config(Placement::pre); }
  SECTION("Post-LN, target and output share one") {
    config = small_translation_config(Placement::post, EmbeddingSharing::output);
  }
  SECTION("Post-LN over Pre-LN, nothing shared, dropout everywhere, learned positions") {
    config = small_translation_config(Placement::post, EmbeddingSharing::none);
    config.decoder = small_config(Placement::pre);
    config.positions = PositionKind::learned;
    for (StackConfig* stack : {&config.encoder, &config.decoder}) {
      stack->layers = 1;
      stack->dropout = stack->attention_dropout = stack->activation_dropout = 0.2;
    }
    pass = kTraining;
  }
  const TranslationModel model(init_f64(), config, kExtents);
  shake(model);
  const Sentences sentences;
  check_gradients(model, {}, [&](const std::vector<Tensor>&) { return sentences.loss(model, pass); });
}

TEST_CASE("translation model: what is recomputed changes no bit of a gradient, and less is kept") {
  TranslationModelConfig config = small_translation_config(Placement::pre);
  config.encoder.activation = GENERATE(Activation::relu, Activation::gelu);
  config.encoder.activation_dropout = GENERATE(0, 0.2);
  config.encoder.norm_at.inner.set(GENERATE("none", "batch"));
  config.encoder.attention_dropout = config.encoder.dropout = 0.2;
  config.decoder = config.encoder;
  const Sentences sentences;
  struct Outcome {
    std::vector<Tensor> gradients;
    std::uint64_t kept;
  };
  const auto outcome = [&](bool attention, bool feed_forward, Observer* observer) {
    config.encoder.recompute = config.decoder.recompute = {attention, feed_forward};
    const TranslationModel model(init_f64(), config, kExtents);
    shake(model);
    trim_pool();
    const auto before = pool_counts().bytes_in_use;
    Tape tape(observer);
    const Tensor loss = sentences.loss(model, kTraining);
    const auto kept = pool_counts().bytes_in_use - before;
    tape.backward(loss);
    Outcome result{{loss}, kept};
    for (const Named& parameter : model.parameters()) result.gradients.push_back(parameter.tensor.gradient());
    return result;
  };
  Peak peak;
  Observer* observer = GENERATE(false, true) ? &peak : nullptr;  // looked at, ReLU and dropout are two ops
  const Outcome plain = outcome(false, false, observer);
  const auto less = [&](bool attention, bool feed_forward) {
    const Outcome again = outcome(attention, feed_forward, observer);
    CHECK(std::equal(again.gradients.begin(), again.gradients.end(), plain.gradients.begin(), plain.gradients.end(),
                     same_bits));
    return again.kept < plain.kept;
  };
  CHECK(less(true, false));
  CHECK(less(true, true));
  CHECK(less(false, true) == (config.encoder.norm_at.inner.kind() == "none"));  // from a norm it is made in any case
}

TEST_CASE("translation model: every parameter gets a gradient, but the biases of the keys") {
  const Sentences sentences;
  for (const EmbeddingSharing sharing : {EmbeddingSharing::all, EmbeddingSharing::none}) {
    TranslationModelConfig config = small_translation_config(Placement::pre, sharing);
    config.positions = PositionKind::learned;
    const TranslationModel model(init_f64(), config, kExtents);
    Tape tape;
    tape.backward(sentences.loss(model));
    for (const Named& parameter : model.parameters()) {
      INFO(parameter.path);
      double largest = 0;
      for (const double value : parameter.tensor.gradient().values<double>()) {
        largest = std::max(largest, std::abs(value));
      }
      const bool key_bias = parameter.path.find("key.bias") != std::string::npos;
      CHECK((key_bias ? largest < 1e-12 : largest > 1e-6));
    }
  }
}

TEST_CASE("training_size of a translation model comes close to what a step takes") {
  const PreScale pre_scale = GENERATE(PreScale::none, PreScale::rms);
  const StackConfig::Recompute recompute = GENERATE(values<StackConfig::Recompute>({{}, {true, false}, {false, true}}));
  TranslationModelConfig config;
  config.encoder.recompute = config.decoder.recompute = recompute;
  config.encoder.norm.pre_scale = config.decoder.norm.pre_scale = pre_scale;
  config.encoder.layers = 2;
  config.decoder.layers = 5;
  config.encoder.width = config.decoder.width = 64;
  config.encoder.feed_forward = config.decoder.feed_forward = 256;
  config.share_embeddings = EmbeddingSharing::output;
  // Sizes that fill their blocks of the pool: of 600 x 2000 logits a tenth would be rounding.
  const TranslationExtents extents{200, 2048, 64, 64};
  const Rows source_rows = Rows::equal(10, 20), rows = Rows::equal(10, 64);
  const Tensor source = random_ids(200, 200, "source"), ids = random_ids(640, 2048, "ids");
  const TrainingSize size = training_size(config, extents, 200, 640, Dtype::f32);
  trim_pool();
  const double before = static_cast<double>(pool_counts().bytes_in_use);
  const TranslationModel model(Init{}, config, extents);
  CHECK(size.parameters == model.parameter_count());
  const double built = static_cast<double>(pool_counts().bytes_in_use) - before;
  CHECK(built == Approx(size.parameter_bytes / 2).epsilon(0.1));  // values and gradients, no moments
  Peak peak;
  Tape tape(&peak);
  const Tensor loss = model.loss(source, source_rows, ids, rows, kTraining, ids).loss;
  tape.backward(loss);
  const double taken = peak.bytes - before - built;
  INFO("estimated " << size.activation_bytes << ", taken " << taken);
  CHECK(taken > 0.97 * size.activation_bytes);
  CHECK(taken < 1.03 * size.activation_bytes);
}
