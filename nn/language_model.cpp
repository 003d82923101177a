// The language model: see the header.
#include "language_model.h"

#include <cmath>

namespace normlab {

void LanguageModelConfig::fields(Fields& f) {
  StackConfig::fields(f);
  choice(f, "positions", positions,
         {{PositionKind::sinusoidal, "sinusoidal"}, {PositionKind::learned, "learned"}, {PositionKind::none, "none"}},
         "how a token's position enters the model");
  f.boolean("tie_output", tie_output, "the output matrix is the embedding matrix");
  f.boolean("embedding_scale", embedding_scale, "multiply embeddings by sqrt(width)");
}

LanguageModel::LanguageModel(const Init& init, const LanguageModelConfig& config, Index vocabulary,
                             Index longest_sequence)
    : Module(init),
      embedding_(child<Embedding>("embedding", vocabulary, config.width,
                                  config.embedding_scale ? std::sqrt(static_cast<double>(config.width)) : 1.0)),
      positions_(child<Positions>("positions", config.positions, longest_sequence, config.width)),
      input_dropout_{config.dropout, init.at("input")},
      stack_(child<Stack>("", config, /*causal=*/true)) {
  if (!config.tie_output) output_ = &child<Linear>("output", config.width, vocabulary, /*with_bias=*/false);
}

Tensor LanguageModel::logits(const Tensor& inputs, const Rows& rows, const Pass& pass) const {
  check(inputs.size() == rows.tokens(), "language model: inputs must hold the tokens of their rows, got ",
        inputs.shape(), " for ", rows.tokens(), " tokens");
  const Tensor embedded = positions_.forward(embedding_.forward(inputs), rows);
  const Tensor h = stack_.forward(watch("input", input_dropout_(embedded, pass)), rows, pass);
  return watch("logits", output_ ? output_->forward(h) : embedding_.logits(h));
}

TrainingSize training_size(const LanguageModelConfig& config, Index vocabulary, Index longest_sequence, Index tokens,
                           Dtype dtype, Index moments) {
  Init init;
  init.dtype = dtype;
  init.allocate = false;
  const LanguageModel model(init, config, vocabulary, longest_sequence);

  const auto number = [](auto value) { return static_cast<double>(value); };
  const double bytes = number(bytes_of(dtype));
  const double width = number(config.width);
  // Per token of a layer: two norms, query, key, value, their attention, its output map, the outer map, and two sums;
  // each branch again after dropout; the inner map and its activation, again after dropout; the attention
  // probabilities.
  const double layer = (config.dropout > 0 ? 12 : 10) * width +
                       (config.activation_dropout > 0 ? 3 : 2) * number(config.feed_forward) +
                       number(config.heads * longest_sequence);
  // Per token of the model: embedding, positions and dropout; logits, their probabilities, and their gradient.
  const double token = number(config.layers) * layer + 4 * width + 3 * number(vocabulary);

  TrainingSize size;
  size.parameters = model.parameter_count();
  size.parameter_bytes = number(size.parameters) * bytes * number(2 + moments);
  size.activation_bytes = number(tokens) * bytes * token;
  return size;
}

}  // namespace normlab
