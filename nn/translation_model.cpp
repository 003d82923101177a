// The translation model: see the header.
#include "translation_model.h"

#include <algorithm>
#include <cmath>

#include "../engine/ops/product.h"

namespace normlab {

void TranslationModelConfig::fields(Fields& f) {
  f.group(
      "encoder", [this](Fields& g) { encoder.fields(g); }, "the stack that reads the source");
  f.group(
      "decoder", [this](Fields& g) { decoder.fields(g, /*decoder=*/true); }, "the stack that writes the target");
  f.require(encoder.width == decoder.width, "decoder",
            text("width must be that of the encoder, got ", decoder.width, " and ", encoder.width));
  choice(f, "positions", positions,
         {{PositionKind::sinusoidal, "sinusoidal"}, {PositionKind::learned, "learned"}, {PositionKind::none, "none"}},
         "how a token's position enters the model");
  choice(f, "share_embeddings", share_embeddings,
         {{EmbeddingSharing::all, "all"}, {EmbeddingSharing::output, "output"}, {EmbeddingSharing::none, "none"}},
         "all: source, target and output have one matrix, and one vocabulary; output: target and output have one");
  f.boolean("output_bias", output_bias, "add a bias to the logits; needs share_embeddings none");
  f.require(share_embeddings == EmbeddingSharing::none || !output_bias, "output_bias",
            "needs an output matrix of its own: share_embeddings none");
  f.boolean("embedding_scale", embedding_scale, "multiply embeddings by sqrt(width)");
}

TranslationModel::TranslationModel(const Init& init, const TranslationModelConfig& config,
                                   const TranslationExtents& extents)
    : Module(init),
      config_(config),
      extents_(extents),
      source_embedding_(
          add_embedding(config.share_embeddings == EmbeddingSharing::all ? "embedding" : "encoder.embedding",
                        extents.source_vocabulary)),
      target_embedding_(config.share_embeddings == EmbeddingSharing::all
                            ? source_embedding_
                            : add_embedding("decoder.embedding", extents.target_vocabulary)),
      source_positions_(
          child<Positions>("encoder.positions", config.positions, extents.longest_source, config.encoder.width)),
      target_positions_(
          child<Positions>("decoder.positions", config.positions, extents.longest_target, config.decoder.width)),
      source_dropout_{config.encoder.dropout, init.at("encoder.input")},
      target_dropout_{config.decoder.dropout, init.at("decoder.input")},
      encoder_(child<Stack>("encoder", config.encoder, /*causal=*/false)),
      decoder_(child<Decoder>("decoder", config.decoder)) {
  check(config.encoder.width == config.decoder.width,
        "translation model: encoder and decoder must have one width, got ", config.encoder.width, " and ",
        config.decoder.width);
  check(config.share_embeddings != EmbeddingSharing::all || extents.source_vocabulary == extents.target_vocabulary,
        "translation model: shared embeddings need one vocabulary, got ", extents.source_vocabulary, " entries of the ",
        "source and ", extents.target_vocabulary, " of the target");
  check(config.share_embeddings == EmbeddingSharing::none || !config.output_bias,
        "translation model: an output bias needs an output matrix of its own, got output_bias and shared embeddings");
  if (config.share_embeddings == EmbeddingSharing::none) {
    output_ = &child<Linear>("output", config.decoder.width, extents.target_vocabulary, config.output_bias);
  }
}

Embedding& TranslationModel::add_embedding(const std::string& name, Index vocabulary) {
  const Index width = config_.encoder.width;
  return child<Embedding>(name, vocabulary, width, config_.embedding_scale ? std::sqrt(static_cast<double>(width)) : 1);
}

Tensor TranslationModel::encode(const Tensor& source, const Rows& source_rows, const Pass& pass) const {
  check(source.size() == source_rows.tokens(), "translation model: the source must hold the tokens of its rows, got ",
        source.shape(), " for ", source_rows.tokens(), " tokens");
  check(source_rows.all_count(), "translation model: every row of the source must be a token, got ",
        source_rows.tokens() - source_rows.counted(), " that do not count; attention would see them");
  Tensor embedded = source_positions_.forward(source_embedding_.forward(source), source_rows);
  return encoder_.forward(watch("encoder.input", source_dropout_(std::move(embedded), pass)), source_rows, pass);
}

Tensor TranslationModel::output_logits(const Tensor& h) const {
  return watch("logits", linear(h, output_weight(), output_bias()));
}

Tensor TranslationModel::hidden(const Tensor& source, const Rows& source_rows, const Tensor& inputs, const Rows& rows,
                                const Pass& pass) const {
  check(inputs.size() == rows.tokens(), "translation model: inputs must hold the tokens of their rows, got ",
        inputs.shape(), " for ", rows.tokens(), " tokens");
  const Tensor memory = encode(source, source_rows, pass);
  Tensor embedded = target_positions_.forward(target_embedding_.forward(inputs), rows);
  const Tensor x = watch("decoder.input", target_dropout_(std::move(embedded), pass));
  return decoder_.forward(x, rows, memory, source_rows, pass);
}

Tensor TranslationModel::logits(const Tensor& source, const Rows& source_rows, const Tensor& inputs, const Rows& rows,
                                const Pass& pass) const {
  return output_logits(hidden(source, source_rows, inputs, rows, pass));
}

CrossEntropy TranslationModel::loss(const Tensor& source, const Rows& source_rows, const Tensor& inputs,
                                    const Rows& rows, const Pass& pass, const Tensor& targets, double label_smoothing,
                                    double divisor) const {
  return linear_cross_entropy(hidden(source, source_rows, inputs, rows, pass), output_weight(), output_bias(), targets,
                              rows, label_smoothing, divisor, init_.at("logits"));
}

DecoderCache TranslationModel::start(const Tensor& source, const Rows& source_rows) const {
  return decoder_.start(encode(source, source_rows, {}), source_rows);
}

Tensor TranslationModel::step(const Tensor& inputs, const Beams& beams, DecoderCache& cache) const {
  const Index hypotheses = beams.hypotheses.tokens();
  check(inputs.size() == hypotheses, "translation model: a step must have a token for each of the ", hypotheses,
        " hypotheses, got ", inputs.shape());
  const Tensor x =
      target_positions_.forward(target_embedding_.forward(inputs), Rows::equal(hypotheses, 1), cache.length);
  return output_logits(decoder_.step(x, beams, cache));
}

TrainingSize training_size(const TranslationModelConfig& config, const TranslationExtents& extents, Index source_tokens,
                           Index target_tokens, Dtype dtype, Index moments) {
  Init init;
  init.dtype = dtype;
  init.allocate = false;
  const TranslationModel model(init, config, extents);

  const auto number = [](auto value) { return static_cast<double>(value); };
  const StackConfig &encoder = config.encoder, &decoder = config.decoder;
  // Of the source also the output of the encoder, and a key and a value for each layer of the decoder.
  const double source_token = number(encoder.layers) * encoder.kept_by_layer() + encoder.kept_at_end() +
                              number(decoder.layers) * decoder.kept_by_keys_and_values();
  // A decoder's layer has a branch more: what went into it, the query and what attention makes.
  // Then as in a language model.
  const double passing = number(target_tokens) * 3 * number(std::max(decoder.width, decoder.feed_forward));
  const double branch = decoder.kept_by(decoder.norm_at.cross_attention) + decoder.kept_by_queries();
  const double target_token =
      number(decoder.layers) * (decoder.kept_by_layer() + branch) + (decoder.final_norm ? decoder.kept_at_end() : 0);

  TrainingSize size;
  size.tokens = source_tokens + target_tokens;
  size.parameters = model.parameter_count();
  size.parameter_bytes = number(size.parameters) * number(bytes_of(dtype)) * number(2 + moments);
  size.activation_bytes = number(bytes_of(dtype)) *
                          (number(source_tokens) * source_token + number(target_tokens) * target_token +
                           std::max(passing, numbers_of_loss(target_tokens, extents.target_vocabulary, decoder.width)));
  return size;
}

}  // namespace normlab
