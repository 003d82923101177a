// Folding: the same logits without the norms, of every kind and site that can be folded, and why others cannot.
#include "nn/folding.h"

#include "tests/nn/support.h"

using namespace normlab;

namespace {

constexpr Index kVocabulary = 11, kLongest = 6;

LanguageModelConfig config_of(const std::string& norm) {
  LanguageModelConfig config = small_config(Placement::pre);
  config.norm.set(norm);
  return config;
}

// A model whose biases, norm weights and running statistics are all away from their first values.
std::unique_ptr<LanguageModel> trained(const LanguageModelConfig& config, Dtype dtype = Dtype::f64,
                                       const std::string& path = "") {
  Init init = init_f64(path);
  init.dtype = dtype;
  auto model = std::make_unique<LanguageModel>(init, config, kVocabulary, kLongest);
  shake(*model);
  const Rows rows = Rows::of_lengths({5, 6, 1});
  for (std::uint32_t step = 0; step < 3; ++step) {
    const Tensor inputs = random_ids(rows.tokens(), kVocabulary, text("inputs ", step));
    const Tensor targets = random_ids(rows.tokens(), kVocabulary, text("targets ", step));
    const Pass pass{.training = true, .seed = 1, .step = step};
    Tape tape;
    tape.backward(model->loss(inputs, rows, pass, targets, rows).loss);
    model->commit();
  }
  return model;
}

Tensor logits_of(const LanguageModel& model) {
  const Rows rows = Rows::of_lengths({4, 1, 6});
  return model.logits(random_ids(rows.tokens(), kVocabulary, "evaluation"), rows, {});
}

// The largest difference as a share of the largest logit.
double relative_difference(const Tensor& got, const Tensor& expected) {
  double largest = 0;
  for (Index i = 0; i < expected.size(); ++i) largest = std::max(largest, std::abs(expected.at(i)));
  return largest_difference(got, expected) / largest;
}

std::vector<Tensor> copies_of(const LanguageModel& model) {
  std::vector<Tensor> copies;
  for (const Named& named : model.parameters()) copies.push_back(named.tensor.clone());
  for (const Named& named : model.buffers()) copies.push_back(named.tensor.clone());
  return copies;
}

bool has_parameter(const Module& model, const std::string& path) {
  const auto paths = paths_of(model.parameters());
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

// Folds in f64 and f32 and compares logits.
void check_folds(const LanguageModelConfig& config) {
  for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
    const auto model = trained(config, dtype);
    const Tensor expected = logits_of(*model);
    const auto folded = fold_norms(*model);
    INFO(dtype);
    CHECK(folded->buffers().empty());
    for (const std::string& path : paths_of(folded->parameters())) {
      INFO(path);
      CHECK(path.find("norm") == std::string::npos);
    }
    CHECK(relative_difference(logits_of(*folded), expected) < (dtype == Dtype::f64 ? 1e-12 : 1e-5));
  }
}

}  // namespace

TEST_CASE("a folded model has the logits of the model and none of its norms, for each kind") {
  for (const std::string kind : {"batch", "power_v", "power"}) {
    for (const bool tied : {true, false}) {
      LanguageModelConfig config = config_of(kind);
      config.tie_output = tied;
      INFO(kind << (tied ? ", tied" : ", untied"));
      check_folds(config);
      config.norm_at.inner.set("same");
      config.activation = Activation::gelu;
      config.positions = PositionKind::learned;
      check_folds(config);
    }
  }
}

TEST_CASE("each site folds by its own norm, and a site without one stays as it is") {
  LanguageModelConfig config = config_of("none");
  config.norm_at.attention.set("batch");
  config.norm_at.feed_forward.set("power");
  config.norm_at.inner.set("power_v");
  config.norm_at.final.set("batch");
  check_folds(config);
  for (SiteNorm StackConfig::Sites::*only : {&StackConfig::Sites::attention, &StackConfig::Sites::feed_forward,
                                             &StackConfig::Sites::inner, &StackConfig::Sites::final}) {
    LanguageModelConfig one = config_of("none");
    (one.norm_at.*only).set("batch");
    check_folds(one);
  }
  config.final_norm = false;
  check_folds(config);
}

TEST_CASE("Post-LN folds where no norm is read by the residual stream") {
  LanguageModelConfig config = small_config(Placement::post);
  config.norm.set("none");
  config.norm_at.inner.set("batch");
  config.final_norm = true;
  config.norm_at.final.set("power");
  check_folds(config);
}

TEST_CASE("a folded tied output is a matrix of its own with a bias; without a final norm it stays tied") {
  LanguageModelConfig config = config_of("batch");
  const auto model = trained(config);
  const auto folded = fold_norms(*model);
  CHECK_FALSE(folded->config().tie_output);
  CHECK(has_parameter(*folded, "output.bias"));
  REQUIRE(folded->parameters()[0].path == "embedding.weight");
  CHECK(same_bits(folded->parameters()[0].tensor, model->parameters()[0].tensor));
  // Five norms less, an output matrix and its bias more.
  CHECK(folded->parameter_count() == model->parameter_count() - 5 * 16 + kVocabulary * 8 + kVocabulary);

  config.final_norm = false;
  const auto still_tied = fold_norms(*trained(config));
  CHECK(still_tied->config().tie_output);
  CHECK_FALSE(has_parameter(*still_tied, "output.weight"));
}

TEST_CASE("an output bias that is there already is kept in the folded one") {
  LanguageModelConfig config = config_of("batch");
  config.tie_output = false;
  config.output_bias = true;
  check_folds(config);
}

TEST_CASE("folding leaves the model alone and shares nothing with it") {
  LanguageModelConfig config = config_of("power");
  config.norm_at.inner.set("batch");
  const auto model = trained(config);
  const auto before = copies_of(*model);
  const auto folded = fold_norms(*model);
  for (Named& parameter : folded->parameters()) parameter.tensor.fill(7);
  const auto after = copies_of(*model);
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(same_bits(before[i], after[i]));
  CHECK(model->config().norm.kind() == "power");
  CHECK(model->config().norm_at.inner.kind() == "batch");
}

TEST_CASE("a model under a path of its own folds, and its parameters stay there") {
  const auto model = trained(config_of("batch"), Dtype::f64, "decoder");
  const auto folded = fold_norms(*model);
  CHECK(has_parameter(*folded, "decoder.layers.1.feed_forward.inner.weight"));
  CHECK(relative_difference(logits_of(*folded), logits_of(*model)) < 1e-12);
}

TEST_CASE("a norm that cannot be folded is named with the reason and what helps") {
  const std::string start = "fold_norms: every norm must be a fixed scale and shift that linear maps alone read, got";
  const std::string no_scale = " is no fixed scale and shift of each feature (train with batch, power_v or power)";
  const std::string residual = " is read by the residual stream too (train with placement pre)";
  const std::string pre_scale = " divides each token by its own root mean square first (train without pre_scale)";
  const auto fold = [](const LanguageModelConfig& config) { fold_norms(*trained(config)); };

  CHECK_THROWS_WITH(fold(config_of("layer")), start + "\n  attention_norm of kind layer" + no_scale +
                                                  "\n  feed_forward_norm of kind layer" + no_scale +
                                                  "\n  final_norm of kind layer" + no_scale);
  LanguageModelConfig mixed = config_of("batch");
  mixed.norm_at.feed_forward.set("layer");
  CHECK_THROWS_WITH(fold(mixed), start + "\n  feed_forward_norm of kind layer" + no_scale);

  for (const PreScale scale : {PreScale::rms, PreScale::grouped_rms}) {
    LanguageModelConfig scaled = config_of("none");
    scaled.norm.pre_scale = scale;
    scaled.norm_at.attention.set("batch");
    scaled.norm_at.feed_forward.set("batch");
    CHECK_THROWS_WITH(fold(scaled), start + "\n  final_norm of kind none" + pre_scale);
  }

  LanguageModelConfig post = small_config(Placement::post);
  post.norm.set("power");
  post.norm_at.feed_forward.set("layer");
  CHECK_THROWS_WITH(fold(post), start + "\n  attention_norm of kind power" + residual +
                                    "\n  feed_forward_norm of kind layer" + no_scale + ", and" + residual);
}

TEST_CASE("a model without norms has nothing to fold, so neither has a folded one") {
  const std::string message = "fold_norms: the model must have a norm, got none at every site; use it as it is";
  CHECK_THROWS_WITH(fold_norms(*trained(config_of("none"))), message);
  CHECK_THROWS_WITH(fold_norms(*fold_norms(*trained(config_of("batch")))), message);
}

namespace {

// Sentences of different lengths and what a translation model makes of them.
struct Pairs {
  explicit Pairs(const std::string& name)
      : source(random_ids(10, kVocabulary, "source " + name)),
        inputs(random_ids(8, kVocabulary, "inputs " + name)),
        targets(random_ids(8, kVocabulary, "targets " + name)) {}
  Tensor logits(const TranslationModel& model, const Pass& pass = {}) const {
    return model.logits(source, source_rows, inputs, rows, pass);
  }
  Rows source_rows = Rows::of_lengths({3, 6, 1}), rows = Rows::of_lengths({4, 1, 3});
  Tensor source, inputs, targets;
};

std::unique_ptr<TranslationModel> trained(const TranslationModelConfig& config, Dtype dtype = Dtype::f64) {
  Init init = init_f64();
  init.dtype = dtype;
  auto model = std::make_unique<TranslationModel>(init, config,
                                                  TranslationExtents{kVocabulary, kVocabulary, kLongest, kLongest});
  shake(*model);
  for (std::uint32_t step = 0; step < 3; ++step) {
    const Pairs pairs(text(step));
    Tape tape;
    const Tensor logits = pairs.logits(*model, {.training = true, .seed = 1, .step = step});
    tape.backward(cross_entropy(logits, pairs.targets, pairs.rows).loss);
    model->commit();
  }
  return model;
}

TranslationModelConfig translation_config(const std::string& encoder, const std::string& decoder,
                                          EmbeddingSharing sharing = EmbeddingSharing::all) {
  TranslationModelConfig config = small_translation_config(Placement::pre, sharing);
  config.encoder.norm.set(encoder);
  config.decoder.norm.set(decoder);
  return config;
}

}  // namespace

TEST_CASE("a folded translation model has the logits of the model and none of its norms") {
  const Pairs pairs("evaluation");
  for (const EmbeddingSharing sharing : {EmbeddingSharing::all, EmbeddingSharing::output, EmbeddingSharing::none}) {
    for (const bool final_norm : {true, false}) {
      TranslationModelConfig config = translation_config("power", "batch", sharing);
      config.encoder.norm_at.inner.set("batch");
      config.decoder.norm_at.cross_attention.set("power_v");
      config.decoder.final_norm = final_norm;
      for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
        INFO(static_cast<int>(sharing) << " " << final_norm << " " << dtype);
        const auto model = trained(config, dtype);
        const Tensor expected = pairs.logits(*model);
        const auto folded = fold_norms(*model);
        CHECK(folded->buffers().empty());
        for (const std::string& path : paths_of(folded->parameters())) CHECK(path.find("norm") == std::string::npos);
        CHECK(has_parameter(*folded, "output.bias") == final_norm);
        const double bar = dtype == Dtype::f64 ? 1e-12 : 1e-5;
        CHECK(relative_difference(pairs.logits(*folded), expected) < bar);
        CHECK(same_bits(pairs.logits(*model), expected));

        // Token by token too.
        DecoderCache cache = folded->start(pairs.source, pairs.source_rows),
                     whole = model->start(pairs.source, pairs.source_rows);
        const Beams beams{Rows::equal(3, 1), {0, 1, 2}};
        for (int step = 0; step < 2; ++step) {
          const Tensor inputs = random_ids(3, kVocabulary, text("step ", step));
          CHECK(relative_difference(folded->step(inputs, beams, cache), model->step(inputs, beams, whole)) < bar);
        }
      }
    }
  }
}

TEST_CASE("each site of a translation model folds by itself") {
  const Pairs pairs("evaluation");
  using Sites = StackConfig::Sites;
  for (StackConfig TranslationModelConfig::*stack :
       {&TranslationModelConfig::encoder, &TranslationModelConfig::decoder}) {
    for (SiteNorm Sites::*only :
         {&Sites::attention, &Sites::cross_attention, &Sites::feed_forward, &Sites::inner, &Sites::final}) {
      const bool none_there = stack == &TranslationModelConfig::encoder && only == &Sites::cross_attention;
      if (none_there) continue;
      TranslationModelConfig config = translation_config("none", "none");
      ((config.*stack).norm_at.*only).set("batch");
      const auto model = trained(config);
      CHECK(relative_difference(pairs.logits(*fold_norms(*model)), pairs.logits(*model)) < 1e-12);
    }
  }
}

TEST_CASE("of a translation model, too, the norms that cannot be folded are named with the stack they are in") {
  const auto fold = [](const TranslationModelConfig& config) { fold_norms(*trained(config)); };
  const std::string start = "fold_norms: every norm must be a fixed scale and shift that linear maps alone read, got";
  const std::string no_scale = " is no fixed scale and shift of each feature (train with batch, power_v or power)";
  CHECK_THROWS_WITH(fold(translation_config("power", "layer")),
                    start + "\n  decoder.attention_norm of kind layer" + no_scale +
                        "\n  decoder.cross_attention_norm of kind layer" + no_scale +
                        "\n  decoder.feed_forward_norm of kind layer" + no_scale +
                        "\n  decoder.final_norm of kind layer" + no_scale);
  CHECK_THROWS_WITH(fold(translation_config("none", "none")), ContainsSubstring("must have a norm"));
}

TEST_CASE("a translation model's output bias needs an output matrix of its own") {
  TranslationModelConfig config = translation_config("layer", "layer");
  config.output_bias = true;
  CHECK_THROWS_WITH(trained(config), ContainsSubstring("got output_bias and shared embeddings"));
}
