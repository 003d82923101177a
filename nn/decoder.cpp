// The decoder: see the header.
#include "decoder.h"

#include <algorithm>
#include <cstring>

#include "../engine/parallel.h"

namespace normlab {
namespace {

// For each hypothesis the `length` rows of the one it continues, then its own row of `next`.
Tensor extended(const Tensor& past, Index length, const std::vector<Index>& parents, const Tensor& next) {
  const Index hypotheses = next.rows();
  Tensor y = Tensor::empty({hypotheses * (length + 1), next.columns()}, next.dtype());
  const Index row = next.columns() * static_cast<Index>(bytes_of(next.dtype())), copied = length * row;
  const auto* from = static_cast<const char*>(past.raw());
  const auto* last = static_cast<const char*>(next.raw());
  auto* to = static_cast<char*>(y.raw());
  parallel_rows(hypotheses, (length + 1) * next.columns(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      char* own = to + i * (copied + row);
      if (length > 0) {
        const Index parent = parents[static_cast<std::size_t>(i)];
        std::memcpy(own, from + parent * copied, static_cast<std::size_t>(copied));
      }
      std::memcpy(own + copied, last + i * row, static_cast<std::size_t>(row));
    }
  });
  return y;
}

}  // namespace

DecoderLayer::DecoderLayer(const Init& init, const StackConfig& config)
    : Module(init),
      placement_(config.placement),
      attention_dropout_{config.dropout, init.at("attention_residual")},
      cross_attention_dropout_{config.dropout, init.at("cross_attention_residual")},
      feed_forward_dropout_{config.dropout, init.at("feed_forward_residual")},
      attention_(child<MultiHeadAttention>("attention", config.attention_options(/*causal=*/true))),
      attention_norm_(adopt("attention_norm",
                            config.make_norm(init.child("attention_norm"), config.norm_at.attention, config.width))),
      cross_attention_(child<MultiHeadAttention>("cross_attention", config.attention_options(/*causal=*/false))),
      cross_attention_norm_(
          adopt("cross_attention_norm",
                config.make_norm(init.child("cross_attention_norm"), config.norm_at.cross_attention, config.width))),
      feed_forward_(child<FeedForward>("feed_forward", config.feed_forward_options())),
      feed_forward_norm_(adopt("feed_forward_norm", config.make_norm(init.child("feed_forward_norm"),
                                                                     config.norm_at.feed_forward, config.width))) {}

Tensor DecoderLayer::through(const Tensor& x, const Rows& rows, const Pass& pass, const Branch& attend,
                             const Branch& look) const {
  return output([&] {
    const Tensor attended = residual(placement_, attention_norm_, x, rows, pass, attention_dropout_, attend);
    const Tensor informed =
        residual(placement_, cross_attention_norm_, attended, rows, pass, cross_attention_dropout_, look);
    return residual(placement_, feed_forward_norm_, informed, rows, pass, feed_forward_dropout_,
                    [&](const Tensor& h) { return feed_forward_.forward(h, rows, pass); });
  });
}

Tensor DecoderLayer::forward(const Tensor& x, const Rows& rows, const Tensor& source, const Rows& source_rows,
                             const Pass& pass) const {
  return through(
      x, rows, pass, [&](const Tensor& h) { return attention_.forward(h, h, rows, rows, pass); },
      [&](const Tensor& h) { return cross_attention_.forward(h, source, rows, source_rows, pass); });
}

Tensor DecoderLayer::step(const Tensor& x, const Beams& beams, const DecoderCache& cache,
                          DecoderCache::Layer& kept) const {
  const Index hypotheses = x.rows();
  const auto attend = [&](const Tensor& h) {
    const KeysValues next = attention_.keys_values(h);
    kept.written.key = extended(kept.written.key, cache.length, beams.parents, next.key);
    kept.written.value = extended(kept.written.value, cache.length, beams.parents, next.value);
    return attention_.forward(h, kept.written, Rows::equal(hypotheses, 1), Rows::equal(hypotheses, cache.length + 1),
                              {});
  };
  const auto look = [&](const Tensor& h) {
    return cross_attention_.forward(h, kept.source, beams.hypotheses, cache.source_rows, {});
  };
  return through(x, beams.hypotheses, {}, attend, look);
}

Decoder::Decoder(const Init& init, const StackConfig& config) : Module(init) {
  for (Index layer = 0; layer < config.layers; ++layer) {
    layers_.push_back(&child<DecoderLayer>(text("layers.", layer), config));
  }
  if (config.final_norm) {
    final_norm_ = &adopt("final_norm", config.make_norm(init.child("final_norm"), config.norm_at.final, config.width));
  }
}

Tensor Decoder::forward(const Tensor& x, const Rows& rows, const Tensor& source, const Rows& source_rows,
                        const Pass& pass) const {
  return output([&] {
    Tensor h = x;
    for (const DecoderLayer* layer : layers_) h = layer->forward(h, rows, source, source_rows, pass);
    return final_norm_ ? final_norm_->forward(h, rows, pass) : h;
  });
}

DecoderCache Decoder::start(const Tensor& source, const Rows& source_rows) const {
  DecoderCache cache{source_rows, 0, {}};
  for (const DecoderLayer* layer : layers_) cache.layers.push_back({{}, layer->source_keys_values(source)});
  return cache;
}

Tensor Decoder::step(const Tensor& x, const Beams& beams, DecoderCache& cache) const {
  const Index before = cache.length == 0 ? 0 : cache.layers.front().written.key.rows() / cache.length;
  check(cache.length == 0 || (static_cast<Index>(beams.parents.size()) == x.rows() &&
                              std::all_of(beams.parents.begin(), beams.parents.end(),
                                          [&](Index parent) { return parent >= 0 && parent < before; })),
        "decoder: each of ", x.rows(), " hypotheses must continue one of the ", before, " of the step before, got ",
        beams.parents.size(), " parents or one out of range");
  return output([&] {
    Tensor h = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) h = layers_[i]->step(h, beams, cache, cache.layers[i]);
    ++cache.length;
    return final_norm_ ? final_norm_->forward(h, beams.hypotheses, {}) : h;
  });
}

}  // namespace normlab
