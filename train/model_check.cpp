// The gradient check of a whole model: see the header.
#include "model_check.h"

#include <algorithm>

#include "../engine/ops/loss.h"

namespace normlab {

LanguageModelConfig shrunk(LanguageModelConfig config) {
  config.heads = std::min<std::int64_t>(config.heads, 4);
  const std::int64_t head_width = std::clamp<std::int64_t>(config.width / config.heads, 1, 32 / config.heads);
  const double inner = static_cast<double>(config.feed_forward) / static_cast<double>(config.width);
  config.width = config.heads * head_width;
  config.feed_forward =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(inner * static_cast<double>(config.width)), 1, 64);
  config.layers = std::min<std::int64_t>(config.layers, 2);
  return config;
}

GradcheckResult check_model(const LanguageModelConfig& config, double label_smoothing, std::uint64_t seed) {
  constexpr Index kVocabulary = 11;
  const Rows rows = Rows::of_lengths({5, 1, 7});
  Init init;
  init.seed = seed;
  init.dtype = Dtype::f64;
  const LanguageModel model(init, shrunk(config), kVocabulary, rows.longest());

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
  return gradcheck(
      [&](const std::vector<Tensor>&) {
        const Pass pass{true, seed, 1, 0};
        return cross_entropy(model.logits(inputs, rows, pass), targets, rows, label_smoothing).loss;
      },
      parameters, options);
}

}  // namespace normlab
