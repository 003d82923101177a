// The Transformer: a layer of self attention and feed-forward network, and a stack of such layers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "attention.h"
#include "feed_forward.h"
#include "residual.h"

namespace normlab {

// The settings of a stack, as a config file gives them. The defaults are a small Pre-LN model.
struct StackConfig {
  std::int64_t layers = 4;
  std::int64_t width = 128;
  std::int64_t heads = 4;
  std::int64_t feed_forward = 512;
  Activation activation = Activation::relu;
  Placement placement = Placement::pre;
  bool final_norm = true;
  NormConfig norm{"layer"};
  struct Sites {
    SiteNorm attention, cross_attention, feed_forward, inner{"none"}, final;
  } norm_at;
  double dropout = 0.1;
  double attention_dropout = 0;
  double activation_dropout = 0;
  struct Recompute {
    bool attention = false, feed_forward = false;
  } recompute;

  // A decoder's stack has one site more, `cross_attention`; see decoder.h.
  void fields(Fields& f, bool decoder = false);
  // What keeps the norms from working with these widths and heads; empty when nothing does.
  std::string norm_problem() const;
  // The norm of a site with so many features, at init's path.
  std::unique_ptr<Norm> make_norm(const Init& init, const SiteNorm& site, Index features) const {
    return site.or_else(norm).make(init, features, heads);
  }
  MultiHeadAttentionOptions attention_options(bool causal) const;
  FeedForwardOptions feed_forward_options() const;
  // What is kept for the backward pass, in numbers a token: by a layer; of what comes to a site, by its norm or without
  // one by what follows; and of what the last layer gives.
  double kept_by_layer() const;
  double kept_by(const SiteNorm& site) const {
    return static_cast<double>(width) * std::max(1, site.or_else(norm).kept());
  }
  double kept_at_end() const { return final_norm ? kept_by(norm_at.final) : static_cast<double>(width); }
  // And by one attention, of what is looked at: a key and a value.
  double kept_by_keys_and_values() const { return recompute.attention ? 0 : 2 * static_cast<double>(width); }
  // Of what looks: the query, what attention makes, and two numbers for each head to make the probabilities again.
  double kept_by_queries() const { return kept_by_keys_and_values() + 2 * static_cast<double>(heads); }
};

// Self attention and a feed-forward network, each in a residual connection with a norm.
class TransformerLayer : public Module {
 public:
  // `causal`: no token sees the ones after it.
  TransformerLayer(const Init& init, const StackConfig& config, bool causal);
  // y[tokens, width] of x of the same shape, packed as `rows`.
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) const;

 private:
  Placement placement_;
  Dropout attention_dropout_;
  Dropout feed_forward_dropout_;
  MultiHeadAttention& attention_;
  Norm& attention_norm_;
  FeedForward& feed_forward_;
  Norm& feed_forward_norm_;
};

// Layers one after the other, and a norm at the end where the config says so. Bidirectional (an encoder) unless
// `causal`.
class Stack : public Module {
 public:
  Stack(const Init& init, const StackConfig& config, bool causal);
  // y[tokens, width] of x of the same shape, packed as `rows`.
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) const;

 private:
  std::vector<TransformerLayer*> layers_;
  Norm* final_norm_ = nullptr;  // null when there is none
};

}  // namespace normlab
