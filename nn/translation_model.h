// The encoder-decoder Transformer of Vaswani et al. 2017 for translation.
#pragma once

#include "../engine/ops/loss.h"
#include "decoder.h"
#include "embedding.h"
#include "positions.h"
#include "training_size.h"

namespace normlab {

// Which of the three matrices of source, target and output are one (Press & Wolf 2017).
enum class EmbeddingSharing {
  all,     // one matrix; source and target have one vocabulary, as with joint BPE
  output,  // target and output
  none,
};

// Encoder and decoder are of one width; each has layers, placement, norms and dropout of its own.
struct TranslationModelConfig {
  StackConfig encoder, decoder;
  PositionKind positions = PositionKind::sinusoidal;
  EmbeddingSharing share_embeddings = EmbeddingSharing::all;
  bool output_bias = false;
  bool embedding_scale = true;

  void fields(Fields& f);
};

// What the data decide: vocabularies, and the longest sequences that the model must take.
struct TranslationExtents {
  Index source_vocabulary = 0;
  Index target_vocabulary = 0;
  Index longest_source = 0;
  Index longest_target = 0;
};

// memory = encoder(dropout(positions(embedding(source)))), h = decoder(dropout(positions(embedding(inputs))), memory),
// logits = h * transpose(output matrix); a matrix of its own has a bias if asked for.
// Paths: embedding.weight (encoder.embedding.weight and decoder.embedding.weight where they are two, output.weight
// where it is a matrix of its own), encoder.positions.weight (learned only), encoder.layers.0.attention.query.weight …,
// encoder.final_norm.weight, decoder.layers.0.cross_attention.key.weight …
// An encoder looks at every row of a sequence, and so would see pads: sources are packed, without any.
class TranslationModel : public Module {
 public:
  TranslationModel(const Init& init, const TranslationModelConfig& config, const TranslationExtents& extents);
  // logits[target tokens, target vocabulary] of i32 source[source tokens] packed as source_rows and i32
  // inputs[target tokens] packed as `rows`, with as many sequences: row r predicts the token after inputs[r].
  // Error when a source row does not count.
  Tensor logits(const Tensor& source, const Rows& source_rows, const Tensor& inputs, const Rows& rows,
                const Pass& pass) const;
  // cross_entropy(logits(source, source_rows, inputs, rows, pass), targets, rows, label_smoothing, divisor), with the
  // logits of a block of rows at a time.
  CrossEntropy loss(const Tensor& source, const Rows& source_rows, const Tensor& inputs, const Rows& rows,
                    const Pass& pass, const Tensor& targets, double label_smoothing = 0, double divisor = 0) const;

  // The same in evaluation, token by token. start() reads the sources; each step() takes the next input token of every
  // hypothesis, i32 inputs[hypotheses], and gives logits[hypotheses, target vocabulary]. See nn/decoding.h.
  DecoderCache start(const Tensor& source, const Rows& source_rows) const;
  Tensor step(const Tensor& inputs, const Beams& beams, DecoderCache& cache) const;

  // What it was made from.
  const TranslationModelConfig& config() const { return config_; }
  const TranslationExtents& extents() const { return extents_; }

 private:
  Embedding& add_embedding(const std::string& name, Index vocabulary);
  Tensor encode(const Tensor& source, const Rows& source_rows, const Pass& pass) const;
  Tensor hidden(const Tensor& source, const Rows& source_rows, const Tensor& inputs, const Rows& rows,
                const Pass& pass) const;
  const Tensor& output_weight() const { return output_ ? output_->weight() : target_embedding_.weight(); }
  Tensor output_bias() const { return output_ ? output_->bias() : Tensor(); }
  Tensor output_logits(const Tensor& h) const;

  const TranslationModelConfig config_;
  const TranslationExtents extents_;
  Embedding& source_embedding_;
  Embedding& target_embedding_;  // the same one where all is shared
  Positions& source_positions_;
  Positions& target_positions_;
  Dropout source_dropout_;
  Dropout target_dropout_;
  Stack& encoder_;
  Decoder& decoder_;
  Linear* output_ = nullptr;  // null when it is the target's embedding
};

// Of the tokens of the largest micro-batch on either side, and `moments` values an optimizer keeps per parameter.
TrainingSize training_size(const TranslationModelConfig& config, const TranslationExtents& extents, Index source_tokens,
                           Index target_tokens, Dtype dtype, Index moments = 2);

}  // namespace normlab
