// The language model: see the header.
#include "language_model.h"

#include <algorithm>
#include <cmath>

#include "../engine/ops/product.h"

namespace normlab {

void LanguageModelConfig::fields(Fields& f) {
  StackConfig::fields(f);
  choice(f, "positions", positions,
         {{PositionKind::sinusoidal, "sinusoidal"}, {PositionKind::learned, "learned"}, {PositionKind::none, "none"}},
         "how a token's position enters the model");
  f.boolean("tie_output", tie_output, "the output matrix is the embedding matrix");
  f.boolean("output_bias", output_bias, "add a bias to the logits; needs tie_output off");
  f.require(!tie_output || !output_bias, "output_bias", "needs tie_output off, got both on");
  f.boolean("embedding_scale", embedding_scale, "multiply embeddings by sqrt(width)");
}

LanguageModel::LanguageModel(const Init& init, const LanguageModelConfig& config, Index vocabulary,
                             Index longest_sequence)
    : Module(init),
      config_(config),
      vocabulary_(vocabulary),
      longest_sequence_(longest_sequence),
      embedding_(child<Embedding>("embedding", vocabulary, config.width,
                                  config.embedding_scale ? std::sqrt(static_cast<double>(config.width)) : 1.0)),
      positions_(child<Positions>("positions", config.positions, longest_sequence, config.width)),
      input_dropout_{config.dropout, init.at("input")},
      stack_(child<Stack>("", config, /*causal=*/true)) {
  check(!config.tie_output || !config.output_bias,
        "language model: an output bias needs an output matrix of its own, got tie_output and output_bias both on");
  if (!config.tie_output) output_ = &child<Linear>("output", config.width, vocabulary, config.output_bias);
}

Tensor LanguageModel::hidden(const Tensor& inputs, const Rows& rows, const Pass& pass) const {
  check(inputs.size() == rows.tokens(), "language model: inputs must hold the tokens of their rows, got ",
        inputs.shape(), " for ", rows.tokens(), " tokens");
  Tensor embedded = positions_.forward(embedding_.forward(inputs), rows);
  return stack_.forward(watch("input", input_dropout_(std::move(embedded), pass)), rows, pass);
}

Tensor LanguageModel::logits(const Tensor& inputs, const Rows& rows, const Pass& pass) const {
  return watch("logits", linear(hidden(inputs, rows, pass), output_weight(), output_bias()));
}

CrossEntropy LanguageModel::loss(const Tensor& inputs, const Rows& rows, const Pass& pass, const Tensor& targets,
                                 const Rows& predicted, double label_smoothing, double divisor) const {
  return linear_cross_entropy(hidden(inputs, rows, pass), output_weight(), output_bias(), targets, predicted,
                              label_smoothing, divisor, init_.at("logits"));
}

TrainingSize training_size(const LanguageModelConfig& config, Index vocabulary, Index longest_sequence, Index tokens,
                           Dtype dtype, Index moments) {
  Init init;
  init.dtype = dtype;
  init.allocate = false;
  const LanguageModel model(init, config, vocabulary, longest_sequence);

  const auto number = [](auto value) { return static_cast<double>(value); };
  const double bytes = number(bytes_of(dtype));
  // Besides the layers: what went into the final norm, and then either what the loss needs or what a layer needs in
  // passing, of which there is only one at a time.
  const double token = number(config.layers) * config.kept_by_layer() + (config.final_norm ? config.kept_at_end() : 0);
  const double passing = number(tokens) * 3 * number(std::max(config.width, config.feed_forward));

  TrainingSize size;
  size.tokens = tokens;
  size.parameters = model.parameter_count();
  size.parameter_bytes = number(size.parameters) * bytes * number(2 + moments);
  size.activation_bytes =
      bytes * (number(tokens) * token + std::max(passing, numbers_of_loss(tokens, vocabulary, config.width)));
  return size;
}

}  // namespace normlab
