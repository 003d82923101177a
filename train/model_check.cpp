// The gradient check of a whole model: see the header.
#include "model_check.h"

#include <algorithm>
#include <functional>

#include "../engine/ops/elementwise.h"
#include "../engine/ops/loss.h"

namespace normlab {
namespace {

constexpr Index kVocabulary = 11;

// Exact norms in place of surrogates, at all sites; what was done in words.
std::string make_norms_exact(StackConfig& config) {
  std::string done = config.norm.make_exact();
  for (SiteNorm* site : {&config.norm_at.attention, &config.norm_at.cross_attention, &config.norm_at.feed_forward,
                         &config.norm_at.inner, &config.norm_at.final}) {
    if (site->kind() == "same") continue;
    const std::string here = site->make_exact();
    if (done.empty()) done = here;
  }
  return done;
}

// Gives a stack this width, and the others in proportion; false when the norms' groups do not suit it.
bool narrow(StackConfig& config, std::int64_t width) {
  const double inner = static_cast<double>(config.feed_forward) / static_cast<double>(config.width);
  config.width = width;
  const auto scaled = static_cast<std::int64_t>(inner * static_cast<double>(width));
  config.feed_forward = std::clamp<std::int64_t>(scaled, 1, 64);
  return config.width % config.heads == 0 && config.norm_problem().empty();
}

// The same stacks, at most two layers deep, as wide as is narrow enough and suits them all.
void shrink(const std::vector<StackConfig*>& stacks) {
  std::vector<StackConfig> whole;
  for (StackConfig* stack : stacks) {
    stack->layers = std::min<std::int64_t>(stack->layers, 2);
    whole.push_back(*stack);
  }
  for (std::int64_t width = std::min<std::int64_t>(32, whole[0].width); width > 0; --width) {
    bool suits = true;
    for (std::size_t i = 0; i < stacks.size(); ++i) {
      *stacks[i] = whole[i];
      stacks[i]->heads = std::min<std::int64_t>(whole[i].heads, 4);
      suits = narrow(*stacks[i], width) && suits;
    }
    if (suits) return;
  }
  for (std::size_t i = 0; i < stacks.size(); ++i) *stacks[i] = whole[i];
}

Init init_f64(std::uint64_t seed) {
  Init init;
  init.seed = seed;
  init.dtype = Dtype::f64;
  return init;
}

Tensor random_tokens(Index count, std::uint64_t seed, const char* name) {
  Tensor tokens = Tensor::empty({count}, Dtype::i32);
  Random random(seed, name);
  for (Index i = 0; i < count; ++i) tokens.set(i, static_cast<double>(random.below(kVocabulary)));
  return tokens;
}

// Checks loss(pass), the mean over `tokens`, against every parameter of the model.
GradcheckResult check_gradients(const Module& model, const std::function<CrossEntropy(const Pass&)>& loss_of,
                                Index tokens, std::uint64_t seed) {
  std::vector<Tensor> parameters;
  GradcheckOptions options;
  options.seed = seed;
  options.elements = 8;
  for (const Named& parameter : model.parameters()) {
    parameters.push_back(parameter.tensor);
    options.names.push_back(parameter.path);
  }
  return gradcheck(
      [&](const std::vector<Tensor>&) {
        std::vector<Tensor> penalties;
        const Pass pass{.training = true, .seed = seed, .step = 1, .penalties = &penalties};
        Tensor loss = loss_of(pass).loss;
        for (const Tensor& penalty : penalties) {
          loss = add(loss, scale(penalty, 1 / static_cast<double>(tokens)));
        }
        return loss;
      },
      parameters, options);
}

}  // namespace

ModelCheck check_model(const LanguageModelConfig& config, double label_smoothing, std::uint64_t seed) {
  LanguageModelConfig small = config;
  shrink({&small});
  ModelCheck check{{}, make_norms_exact(small)};
  const Rows rows = Rows::of_lengths({5, 1, 7});
  const LanguageModel model(init_f64(seed), small, kVocabulary, rows.longest());
  const Tensor inputs = random_tokens(rows.tokens(), seed, "check.inputs");
  const Tensor targets = random_tokens(rows.tokens(), seed, "check.targets");
  check.gradients = check_gradients(
      model, [&](const Pass& pass) { return model.loss(inputs, rows, pass, targets, rows, label_smoothing); },
      rows.tokens(), seed);
  return check;
}

ModelCheck check_model(const TranslationModelConfig& config, double label_smoothing, std::uint64_t seed) {
  TranslationModelConfig small = config;
  shrink({&small.encoder, &small.decoder});
  ModelCheck check{{}, make_norms_exact(small.encoder)};
  const std::string in_decoder = make_norms_exact(small.decoder);
  if (check.stand_in.empty()) check.stand_in = in_decoder;
  const Rows source_rows = Rows::of_lengths({4, 2, 6}), rows = Rows::of_lengths({5, 1, 7});
  const TranslationModel model(init_f64(seed), small,
                               {kVocabulary, kVocabulary, source_rows.longest(), rows.longest()});
  const Tensor source = random_tokens(source_rows.tokens(), seed, "check.source");
  const Tensor inputs = random_tokens(rows.tokens(), seed, "check.inputs");
  const Tensor targets = random_tokens(rows.tokens(), seed, "check.targets");
  check.gradients = check_gradients(
      model,
      [&](const Pass& pass) { return model.loss(source, source_rows, inputs, rows, pass, targets, label_smoothing); },
      rows.tokens(), seed);
  return check;
}

ModelCheck check_model(const VisionTransformerConfig& config, double label_smoothing, std::uint64_t seed) {
  VisionTransformerConfig small = config;
  shrink({&small});
  ModelCheck check{{}, make_norms_exact(small)};
  const Index images = 3, patch_features = 5;
  const Rows rows = Rows::equal(images, 4);
  const VisionTransformer model(init_f64(seed), small, {rows.longest(), patch_features, kVocabulary});
  Tensor patches = Tensor::empty({rows.tokens(), patch_features}, Dtype::f64);
  fill_normal(patches, random_stream(seed, "check.patches"), 0, 1);
  const Tensor labels = random_tokens(images, seed, "check.labels");
  check.gradients = check_gradients(
      model,
      [&](const Pass& pass) {
        return cross_entropy(model.logits(patches, rows, pass), labels, Rows::single(images), label_smoothing);
      },
      images, seed);
  return check;
}

}  // namespace normlab
