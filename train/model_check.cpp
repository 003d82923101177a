// The gradient check of a whole model: see the header.
#include "model_check.h"

#include <algorithm>

#include "../engine/ops/elementwise.h"
#include "../engine/ops/loss.h"

namespace normlab {
namespace {

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

}  // namespace

LanguageModelConfig shrunk(LanguageModelConfig config) {
  const LanguageModelConfig whole = config;
  const double inner = static_cast<double>(config.feed_forward) / static_cast<double>(config.width);
  config.heads = std::min<std::int64_t>(config.heads, 4);
  config.layers = std::min<std::int64_t>(config.layers, 2);
  // The widest that is narrow enough and suits the norms' groups.
  for (std::int64_t head_width = std::clamp<std::int64_t>(config.width / config.heads, 1, 32 / config.heads);
       head_width > 0; --head_width) {
    config.width = config.heads * head_width;
    const auto scaled = static_cast<std::int64_t>(inner * static_cast<double>(config.width));
    config.feed_forward = std::clamp<std::int64_t>(scaled, 1, 64);
    if (config.norm_problem().empty()) return config;
  }
  config.heads = whole.heads;
  config.width = whole.width;
  config.feed_forward = whole.feed_forward;
  return config;
}

ModelCheck check_model(const LanguageModelConfig& config, double label_smoothing, std::uint64_t seed) {
  constexpr Index kVocabulary = 11;
  const Rows rows = Rows::of_lengths({5, 1, 7});
  Init init;
  init.seed = seed;
  init.dtype = Dtype::f64;
  LanguageModelConfig small = shrunk(config);
  ModelCheck check{{}, make_norms_exact(small)};
  const LanguageModel model(init, small, kVocabulary, rows.longest());

  Tensor inputs = Tensor::empty({rows.tokens()}, Dtype::i32), targets = Tensor::empty({rows.tokens()}, Dtype::i32);
  Random random(seed, "check.tokens");
  for (Index i = 0; i < rows.tokens(); ++i) {
    inputs.set(i, static_cast<double>(random.below(kVocabulary)));
    targets.set(i, static_cast<double>(random.below(kVocabulary)));
  }
  std::vector<Tensor> parameters;
  GradcheckOptions options;
  options.seed = seed;
  options.elements = 8;
  for (const Named& parameter : model.parameters()) {
    parameters.push_back(parameter.tensor);
    options.names.push_back(parameter.path);
  }
  check.gradients = gradcheck(
      [&](const std::vector<Tensor>&) {
        std::vector<Tensor> penalties;
        const Pass pass{.training = true, .seed = seed, .step = 1, .penalties = &penalties};
        Tensor loss = cross_entropy(model.logits(inputs, rows, pass), targets, rows, label_smoothing).loss;
        for (const Tensor& penalty : penalties)
          loss = add(loss, scale(penalty, 1 / static_cast<double>(rows.tokens())));
        return loss;
      },
      parameters, options);
  return check;
}

}  // namespace normlab
