// The Transformer's layers and stacks: see the header.
#include "transformer.h"

namespace normlab {

void StackConfig::fields(Fields& f, bool decoder) {
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
  norm.fields(f, "norm", "the norm of all sites that have none of their own");
  const auto require_no_problem = [this](Fields& g, const char* name, const NormConfig& at, Index features) {
    const std::string problem = heads < 1 ? "" : at.problem(features, heads);
    g.require(problem.empty(), name, problem);
  };
  require_no_problem(f, "norm", norm, width);
  f.group(
      "norm_at",
      [&](Fields& g) {
        const auto site = [&](const char* name, SiteNorm& at, Index features, const char* doc) {
          at.fields(g, name, doc);
          if (at.kind() != "same" || features != width) require_no_problem(g, name, at.or_else(norm), features);
        };
        site("attention", norm_at.attention, width, "of the attention branch");
        if (decoder) {
          site("cross_attention", norm_at.cross_attention, width, "of the branch that looks at the encoder's output");
        }
        site("feed_forward", norm_at.feed_forward, width, "of the feed-forward branch");
        site("inner", norm_at.inner, feed_forward,
             "between the two maps of each feed-forward network, before the activation");
        site("final", norm_at.final, width, "after the last layer, where there is one");
      },
      "norms that differ from site to site");
  f.real("dropout", dropout, {.at_least = 0, .below = 1},
         "share of features dropped from the model's input and from the output of each residual branch");
  f.real("attention_dropout", attention_dropout, {.at_least = 0, .below = 1},
         "share of attention probabilities dropped");
  f.real("activation_dropout", activation_dropout, {.at_least = 0, .below = 1},
         "share of features dropped between the two maps of each feed-forward network");
  f.group(
      "recompute",
      [&](Fields& g) {
        g.boolean("attention", recompute.attention, "of attention queries, keys, values and what it makes of them");
        g.boolean("feed_forward", recompute.feed_forward, "what stands between the maps of a feed-forward network");
      },
      "what the backward pass makes again rather than having it kept, with the same numbers: less memory, more time");
  f.require(heads < 1 || width % heads == 0, "heads",
            text("width must be divisible by heads, got width ", width, " and heads ", heads));
}

std::string StackConfig::norm_problem() const {
  for (const SiteNorm* site : {&norm_at.attention, &norm_at.cross_attention, &norm_at.feed_forward, &norm_at.final}) {
    const std::string problem = site->or_else(norm).problem(width, heads);
    if (!problem.empty()) return problem;
  }
  return norm_at.inner.or_else(norm).problem(feed_forward, heads);
}

MultiHeadAttentionOptions StackConfig::attention_options(bool causal) const {
  return {
      .width = width, .heads = heads, .causal = causal, .dropout = attention_dropout, .recompute = recompute.attention};
}

FeedForwardOptions StackConfig::feed_forward_options() const {
  return {.width = width,
          .inner = feed_forward,
          .activation = activation,
          .dropout = activation_dropout,
          .inner_norm = norm_at.inner.or_else(norm),
          .heads = heads,
          .recompute = recompute.feed_forward};
}

// What went into both branches; query, key, value and what attention makes of them; and between the two maps either
// what goes into a norm, from which all that follows is made again, or the activations after dropout and what went into
// a GELU. Attention makes its probabilities again.
double StackConfig::kept_by_layer() const {
  const int by_norm = norm_at.inner.or_else(norm).kept();
  const int activations = by_norm > 0 ? by_norm : recompute.feed_forward ? 0 : 1 + (activation == Activation::gelu);
  return kept_by(norm_at.attention) + kept_by(norm_at.feed_forward) + kept_by_queries() + kept_by_keys_and_values() +
         activations * static_cast<double>(feed_forward);
}

TransformerLayer::TransformerLayer(const Init& init, const StackConfig& config, bool causal)
    : Module(init),
      placement_(config.placement),
      attention_dropout_{config.dropout, init.at("attention_residual")},
      feed_forward_dropout_{config.dropout, init.at("feed_forward_residual")},
      attention_(child<MultiHeadAttention>("attention", config.attention_options(causal))),
      attention_norm_(adopt("attention_norm",
                            config.make_norm(init.child("attention_norm"), config.norm_at.attention, config.width))),
      feed_forward_(child<FeedForward>("feed_forward", config.feed_forward_options())),
      feed_forward_norm_(adopt("feed_forward_norm", config.make_norm(init.child("feed_forward_norm"),
                                                                     config.norm_at.feed_forward, config.width))) {}

Tensor TransformerLayer::forward(const Tensor& x, const Rows& rows, const Pass& pass) const {
  return output([&] {
    const Tensor attended = residual(placement_, attention_norm_, x, rows, pass, attention_dropout_,
                                     [&](const Tensor& h) { return attention_.forward(h, h, rows, rows, pass); });
    return residual(placement_, feed_forward_norm_, attended, rows, pass, feed_forward_dropout_,
                    [&](const Tensor& h) { return feed_forward_.forward(h, rows, pass); });
  });
}

Stack::Stack(const Init& init, const StackConfig& config, bool causal) : Module(init) {
  for (Index layer = 0; layer < config.layers; ++layer) {
    layers_.push_back(&child<TransformerLayer>(text("layers.", layer), config, causal));
  }
  if (config.final_norm) {
    final_norm_ = &adopt("final_norm", config.make_norm(init.child("final_norm"), config.norm_at.final, config.width));
  }
}

Tensor Stack::forward(const Tensor& x, const Rows& rows, const Pass& pass) const {
  return output([&] {
    Tensor h = x;
    for (const TransformerLayer* layer : layers_) h = layer->forward(h, rows, pass);
    return final_norm_ ? final_norm_->forward(h, rows, pass) : h;
  });
}

}  // namespace normlab
