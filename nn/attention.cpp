// Multi-head attention: see the header; scores, softmax and their gradients stand in engine/ops/attention.cpp.
#include "attention.h"

#include "../engine/ops/attention.h"

namespace normlab {

MultiHeadAttention::MultiHeadAttention(const Init& init, const MultiHeadAttentionOptions& options)
    : Module(init),
      options_(options),
      query_(child<Linear>("query", options.width, options.width)),
      key_(child<Linear>("key", options.width, options.width)),
      value_(child<Linear>("value", options.width, options.width)),
      output_(child<Linear>("output", options.width, options.width)) {
  check(options.heads > 0 && options.width % options.heads == 0, path(),
        ": width must be divisible by heads, got width ", options.width, " and heads ", options.heads);
}

Tensor MultiHeadAttention::forward(const Tensor& query_input, const Tensor& key_value_input, const Rows& query_rows,
                                   const Rows& key_rows, const Pass& pass) const {
  return output([&] {
    AttentionOptions options{.heads = options_.heads, .causal = options_.causal, .dropout = 0, .stream = {}};
    if (pass.training) {
      options.dropout = options_.dropout;
      options.stream = pass.stream(init_.at("probabilities"));
    }
    // One by one: the order of arguments is the compiler's choice, the order on the tape decides the bits.
    const Tensor query = query_.forward(query_input);
    const Tensor key = key_.forward(key_value_input);
    const Tensor value = value_.forward(key_value_input);
    return output_.forward(attention(query, key, value, query_rows, key_rows, options));
  });
}

}  // namespace normlab
