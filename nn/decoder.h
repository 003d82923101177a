// The decoder of a translation model: Transformer layers that also look at an encoder's output.
#pragma once

#include <functional>
#include <vector>

#include "transformer.h"

namespace normlab {

// What a decoder remembers while it writes, so that each step computes one token of each hypothesis and no more.
struct DecoderCache {
  struct Layer {
    KeysValues written;  // of the hypotheses, each of `length` tokens: [hypotheses * length, width]
    KeysValues source;   // of the sentences that they translate, as source_rows: computed once
  };
  Rows source_rows;
  Index length = 0;
  std::vector<Layer> layers;
};

// The hypotheses of a step: how many each sentence has, packed in the order of the sentences, and for each the place
// that the hypothesis it continues had in the step before. A sentence may have none. So beams fork and end, and only
// `written` is ever moved: the hypotheses of a sentence are the queries of one sequence of source keys.
struct Beams {
  Rows hypotheses;
  std::vector<Index> parents;  // not read in the first step
};

// Causal self attention, cross-attention and a feed-forward network, each in a residual connection with a norm
// (Vaswani et al. 2017, 3.1).
class DecoderLayer : public Module {
 public:
  DecoderLayer(const Init& init, const StackConfig& config);
  // y[tokens, width] of x of the same shape, packed as `rows`, and source[source tokens, width], with as many
  // sequences.
  Tensor forward(const Tensor& x, const Rows& rows, const Tensor& source, const Rows& source_rows,
                 const Pass& pass) const;

  KeysValues source_keys_values(const Tensor& source) const { return cross_attention_.keys_values(source); }
  // y[hypotheses, width] of the last token of each: what forward() gives for it in evaluation. `written` is extended.
  Tensor step(const Tensor& x, const Beams& beams, const DecoderCache& cache, DecoderCache::Layer& kept) const;

 private:
  using Branch = std::function<Tensor(const Tensor&)>;
  Tensor through(const Tensor& x, const Rows& rows, const Pass& pass, const Branch& attend, const Branch& look) const;

  Placement placement_;
  Dropout attention_dropout_;
  Dropout cross_attention_dropout_;
  Dropout feed_forward_dropout_;
  MultiHeadAttention& attention_;
  Norm& attention_norm_;
  MultiHeadAttention& cross_attention_;
  Norm& cross_attention_norm_;
  FeedForward& feed_forward_;
  Norm& feed_forward_norm_;
};

// Decoder layers one after the other, and a norm at the end where the config says so.
class Decoder : public Module {
 public:
  Decoder(const Init& init, const StackConfig& config);
  Tensor forward(const Tensor& x, const Rows& rows, const Tensor& source, const Rows& source_rows,
                 const Pass& pass) const;

  // Before the first step.
  DecoderCache start(const Tensor& source, const Rows& source_rows) const;
  // y[hypotheses, width] of x, the next token of each hypothesis.
  Tensor step(const Tensor& x, const Beams& beams, DecoderCache& cache) const;

 private:
  std::vector<DecoderLayer*> layers_;
  Norm* final_norm_ = nullptr;  // null when there is none
};

}  // namespace normlab
