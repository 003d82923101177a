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

// One by one: the order of arguments is the compiler's choice, the order on the tape decides the bits.
KeysValues MultiHeadAttention::keys_values(const Tensor& input) const {
  Tensor key = key_.forward(input, options_.recompute);
  Tensor value = value_.forward(input, options_.recompute);
  return {std::move(key), std::move(value)};
}

Tensor MultiHeadAttention::forward(const Tensor& query_input, const Tensor& key_value_input, const Rows& query_rows,
                                   const Rows& key_rows, const Pass& pass) const {
  return output([&] {
    const Tensor query = query_.forward(query_input, options_.recompute);
    return attend(query, keys_values(key_value_input), query_rows, key_rows, pass);
  });
}

Tensor MultiHeadAttention::forward(const Tensor& query_input, const KeysValues& seen, const Rows& query_rows,
                                   const Rows& key_rows, const Pass& pass) const {
  return output(
      [&] { return attend(query_.forward(query_input, options_.recompute), seen, query_rows, key_rows, pass); });
}

Tensor MultiHeadAttention::attend(const Tensor& query, const KeysValues& seen, const Rows& query_rows,
                                  const Rows& key_rows, const Pass& pass) const {
  AttentionOptions options{
      .heads = options_.heads, .causal = options_.causal, .dropout = 0, .stream = {}, .recompute = options_.recompute};
  if (pass.training) {
    options.dropout = options_.dropout;
    options.stream = pass.stream(init_.at("probabilities"));
  }
  return output_.forward(attention(query, seen.key, seen.value, query_rows, key_rows, options));
}

}  // namespace normlab
