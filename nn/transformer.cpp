// The Transformer's layers and stacks: see the header.
#include "transformer.h"

namespace normlab {

void StackConfig::fields(Fields& f) {
  f.integer("layers", layers, {.at_least = 1, .at_most = 1000}, "how many Transformer layers");
  f.integer("width", width, {.at_least = 1, .at_most = 65536}, "features of a token throughout the model");
  f.integer("heads", heads, {.at_least = 1, .at_most = 65536}, "heads of each attention; divides width");
  f.integer("feed_forward", feed_forward, {.at_least = 1, .at_most = 1048576},
            "features between the two maps of each feed-forward network");
  choice(f, "activation", activation, {{Activation::relu, "relu"}, {Activation::gelu, "gelu"}},
         "what stands between the two maps of each feed-forward network");
  choice(f, "placement", placement, {{Placement::pre, "pre"}, {Placement::post, "post"}},
         "pre: x + branch(norm(x)); post: norm(x + branch(x))");
  f.boolean("final_norm", final_norm,
            "a norm after the last layer; a Pre-LN model has one, a Post-LN model already ends in a norm");
  norm.fields(f, "norm", "the kind of norm, everywhere in the model");
  f.real("dropout", dropout, {.at_least = 0, .below = 1},
         "share of features dropped from the model's input and from the output of each residual branch");
  f.real("attention_dropout", attention_dropout, {.at_least = 0, .below = 1},
         "share of attention probabilities dropped");
  f.real("activation_dropout", activation_dropout, {.at_least = 0, .below = 1},
         "share of features dropped between the two maps of each feed-forward network");
  f.require(heads < 1 || width % heads == 0, "heads",
            text("width must be divisible by heads, got width ", width, " and heads ", heads));
}

TransformerLayer::TransformerLayer(const Init& init, const StackConfig& config, bool causal)
    : Module(init),
      placement_(config.placement),
      attention_dropout_{config.dropout, init.at("attention_residual")},
      feed_forward_dropout_{config.dropout, init.at("feed_forward_residual")},
      attention_(child<MultiHeadAttention>(
          "attention", MultiHeadAttentionOptions{.width = config.width,
                                                 .heads = config.heads,
                                                 .causal = causal,
                                                 .dropout = config.attention_dropout})),
      attention_norm_(adopt("attention_norm", config.norm->make(init.child("attention_norm"), config.width))),
      feed_forward_(child<FeedForward>("feed_forward", FeedForwardOptions{.width = config.width,
                                                                          .inner = config.feed_forward,
                                                                          .activation = config.activation,
                                                                          .dropout = config.activation_dropout})),
      feed_forward_norm_(
          adopt("feed_forward_norm", config.norm->make(init.child("feed_forward_norm"), config.width))) {}

Tensor TransformerLayer::forward(const Tensor& x, const Rows& rows, const Pass& pass) const {
  return output([&] {
    const Tensor attended =
        residual(placement_, attention_norm_, x, rows, pass, attention_dropout_,
                 [&](const Tensor& h) { return attention_.forward(h, h, rows, rows, pass); });
    return residual(placement_, feed_forward_norm_, attended, rows, pass, feed_forward_dropout_,
                    [&](const Tensor& h) { return feed_forward_.forward(h, pass); });
  });
}

Stack::Stack(const Init& init, const StackConfig& config, bool causal) : Module(init) {
  for (Index layer = 0; layer < config.layers; ++layer) {
    layers_.push_back(&child<TransformerLayer>(text("layers.", layer), config, causal));
  }
  if (config.final_norm) final_norm_ = &adopt("final_norm", config.norm->make(init.child("final_norm"), config.width));
}

Tensor Stack::forward(const Tensor& x, const Rows& rows, const Pass& pass) const {
  return output([&] {
    Tensor h = x;
    for (const TransformerLayer* layer : layers_) h = layer->forward(h, rows, pass);
    return final_norm_ ? final_norm_->forward(h, rows, pass) : h;
  });
}

}  // namespace normlab
