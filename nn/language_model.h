// A causal Transformer language model.
#pragma once

#include "../engine/ops/loss.h"
#include "embedding.h"
#include "positions.h"
#include "training_size.h"
#include "transformer.h"

namespace normlab {

struct LanguageModelConfig : StackConfig {
  PositionKind positions = PositionKind::sinusoidal;
  bool tie_output = true;
  bool output_bias = false;
  bool embedding_scale = true;

  void fields(Fields& f);
};

// h = stack(dropout(positions(embedding(ids)))), logits = h * transpose(output matrix). Tied, the output matrix is the
// embedding's, as in Vaswani et al. 2017 (3.4) and Xiong et al. 2020; untied it is `output.weight`, with `output.bias`
// only if asked for.
// Paths: embedding.weight, positions.weight (learned only), layers.0.attention.query.weight …, final_norm.weight.
class LanguageModel : public Module {
 public:
  LanguageModel(const Init& init, const LanguageModelConfig& config, Index vocabulary, Index longest_sequence);
  // logits[tokens, vocabulary] of i32 inputs[tokens] packed as `rows`: row r predicts the token after inputs[r].
  Tensor logits(const Tensor& inputs, const Rows& rows, const Pass& pass) const;
  // cross_entropy(logits(inputs, rows, pass), targets, predicted, label_smoothing, divisor), with the logits of a block
  // of rows at a time.
  CrossEntropy loss(const Tensor& inputs, const Rows& rows, const Pass& pass, const Tensor& targets,
                    const Rows& predicted, double label_smoothing = 0, double divisor = 0) const;

  // What it was made from.
  const LanguageModelConfig& config() const { return config_; }
  Index vocabulary() const { return vocabulary_; }
  Index longest_sequence() const { return longest_sequence_; }

 private:
  Tensor hidden(const Tensor& inputs, const Rows& rows, const Pass& pass) const;
  const Tensor& output_weight() const { return output_ ? output_->weight() : embedding_.weight(); }
  Tensor output_bias() const { return output_ ? output_->bias() : Tensor(); }

  const LanguageModelConfig config_;
  const Index vocabulary_;
  const Index longest_sequence_;
  Embedding& embedding_;
  Positions& positions_;
  Dropout input_dropout_;
  Stack& stack_;
  Linear* output_ = nullptr;  // null when tied
};

// Of `tokens` in the largest micro-batch, its longest sequence, and `moments` values an optimizer keeps per parameter
// (Adam: 2).
TrainingSize training_size(const LanguageModelConfig& config, Index vocabulary, Index longest_sequence, Index tokens,
                           Dtype dtype, Index moments = 2);

}  // namespace normlab
