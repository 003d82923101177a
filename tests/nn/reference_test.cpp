// Every layer and whole models, values and every gradient, and each step of decoding, against PyTorch.
#include "tests/support/reference.h"

#include <functional>
#include <map>

#include "engine/ops/loss.h"
#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/language_model.h"
#include "nn/norm/layer.h"
#include "nn/transformer.h"
#include "nn/translation_model.h"
#include "nn/vision_transformer.h"
#include "tests/support/catch.h"
#include "tests/support/reference_model.h"

using namespace normlab;

namespace {

void run_attention(ReferenceCase& r, const Init& init) {
  Tape tape;
  const Tensor x = r.input("x");
  MultiHeadAttentionOptions options;
  options.width = x.columns();
  options.heads = static_cast<Index>(r.setting("heads"));
  options.causal = r.setting("causal") != 0;
  MultiHeadAttention module(init, options);
  set_parameters(module, r);
  const Tensor source = r.has("source") ? r.input("source") : x;
  const Rows query_rows = r.rows("query_lengths"), key_rows = r.rows("key_lengths");
  r.compare_with_gradients(tape, module.forward(x, source, query_rows, key_rows, {}));
  compare_gradients(module, r);
}

void run_feed_forward(ReferenceCase& r, const Init& init) {
  Tape tape;
  const Tensor x = r.input("x");
  FeedForwardOptions options;
  options.width = x.columns();
  options.inner = static_cast<Index>(r.setting("inner"));
  options.activation = r.setting("gelu") != 0 ? Activation::gelu : Activation::relu;
  FeedForward module(init, options);
  set_parameters(module, r);
  r.compare_with_gradients(tape, module.forward(x, Rows::single(x.rows()), {}));
  compare_gradients(module, r);
}

void run_norm(ReferenceCase& r, const Init& init) {
  Tape tape;
  const Tensor x = r.input("x");
  LayerNorm module(init, x.columns(), r.setting("epsilon"));
  set_parameters(module, r);
  r.compare_with_gradients(tape, module.forward(x, Rows::single(x.rows()), {}));
  compare_gradients(module, r);
}

void run_transformer_layer(ReferenceCase& r, const Init& init) {
  Tape tape;
  const Tensor x = r.input("x");
  TransformerLayer module(init, stack_config(r), r.setting("causal") != 0);
  set_parameters(module, r);
  r.compare_with_gradients(tape, module.forward(x, r.rows("lengths"), {}));
  compare_gradients(module, r);
}

void run_language_model(ReferenceCase& r, const Init& init) {
  LanguageModel model(init, language_model_config(r), static_cast<Index>(r.setting("vocabulary")),
                      static_cast<Index>(r.setting("longest_sequence")));
  set_parameters(model, r);
  const Rows rows = r.rows("lengths", "counted");
  r.compare("logits", model.logits(r.constant("inputs"), rows, {}));
  Tape tape;
  const Tensor loss =
      model.loss(r.constant("inputs"), rows, {}, r.constant("targets"), rows, r.setting("label_smoothing")).loss;
  r.compare("loss", loss);
  tape.backward(loss);
  compare_gradients(model, r);
}

void run_translation_model(ReferenceCase& r, const Init& init) {
  const TranslationModelConfig config = translation_model_config(r);
  const auto extent = [&](const char* name) { return static_cast<Index>(r.setting(name)); };
  const TranslationModel model(
      init, config, {extent("source_vocabulary"), extent("target_vocabulary"), extent("longest"), extent("longest")});
  set_parameters(model, r);
  const Tensor source = r.constant("source"), inputs = r.constant("inputs"), targets = r.constant("targets");
  const Rows source_rows = r.rows("source_lengths"), rows = r.rows("lengths");
  r.compare("logits", model.logits(source, source_rows, inputs, rows, {}));
  {
    Tape tape;
    const Tensor loss = model.loss(source, source_rows, inputs, rows, {}, targets, r.setting("label_smoothing")).loss;
    r.compare("loss", loss);
    tape.backward(loss);
    compare_gradients(model, r);
  }
  DecoderCache cache = model.start(source, source_rows);
  for (int step = 0; step < static_cast<int>(r.setting("steps")); ++step) {
    const auto at = [&](const char* name) { return text(name, ".", step); };
    const Beams beams{r.rows(at("step_hypotheses")), r.integers(at("step_parents"))};
    r.compare(at("step_logits"), model.step(r.constant(at("step_inputs")), beams, cache));
  }
}

void run_vision_transformer(ReferenceCase& r, const Init& init) {
  const auto extent = [&](const char* name) { return static_cast<Index>(r.setting(name)); };
  const VisionTransformer model(init, vision_transformer_config(r),
                                {extent("patches"), extent("patch_features"), extent("classes")});
  set_parameters(model, r);
  const Rows rows = r.rows("lengths");
  Tape tape;
  const Tensor logits = model.logits(r.constant("patches"), rows, {.training = true});
  r.compare("logits", logits);
  const CrossEntropy result =
      cross_entropy(logits, r.constant("targets"), Rows::single(rows.sequences()), r.setting("label_smoothing"));
  r.compare("loss", result.loss);
  tape.backward(result.loss);
  compare_gradients(model, r);
}

const std::map<std::string, void (*)(ReferenceCase&, const Init&)> kLayers = {
    {"attention", run_attention}, {"feed_forward", run_feed_forward},           {"language_model", run_language_model},
    {"norm", run_norm},           {"transformer_layer", run_transformer_layer},
};

}  // namespace

TEST_CASE("Every layer and whole models agree with PyTorch in value and gradients") {
  for_each_reference("layers", [](const std::string& layer, ReferenceCase& reference) {
    REQUIRE(kLayers.count(layer) == 1);
    Init init;
    init.dtype = reference.dtype();
    kLayers.at(layer)(reference, init);
  });
}

TEST_CASE("Whole translation models agree with PyTorch in value, gradients and each step of decoding") {
  for_each_reference("translation", [](const std::string&, ReferenceCase& reference) {
    Init init;
    init.dtype = reference.dtype();
    run_translation_model(reference, init);
  });
}

TEST_CASE("Whole vision Transformers agree with PyTorch in value and gradients") {
  for_each_reference("vision", [](const std::string&, ReferenceCase& reference) {
    Init init;
    init.dtype = reference.dtype();
    run_vision_transformer(reference, init);
  });
}
