// The feed-forward network: see the header.
#include "feed_forward.h"

#include "../engine/ops/elementwise.h"

namespace normlab {

FeedForward::FeedForward(const Init& init, const FeedForwardOptions& options)
    : Module(init),
      activation_(options.activation),
      recompute_(options.recompute),
      dropout_{options.dropout, init.at("activation")},
      inner_(child<Linear>("inner", options.width, options.inner)),
      inner_norm_(adopt("inner_norm", options.inner_norm.make(init.child("inner_norm"), options.inner, options.heads))),
      outer_(child<Linear>("outer", options.inner, options.width)) {}

Tensor FeedForward::forward(const Tensor& x, const Rows& rows, const Pass& pass) const {
  return output([&] {
    Tensor h = inner_norm_.forward(inner_.forward(x, recompute_), rows, pass);
    // In one pass, unless someone wants to see what stands between.
    if (activation_ == Activation::relu && !watched()) return outer_.forward(dropout_.relu(std::move(h), pass));
    h = watch("activation", activation_ == Activation::relu ? relu(std::move(h)) : gelu(h));
    return outer_.forward(dropout_(std::move(h), pass));
  });
}

}  // namespace normlab
