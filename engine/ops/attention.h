// Scaled dot-product attention (Vaswani et al. 2017, 3.2) over packed sequences.
#pragma once

#include "../random.h"
#include "../rows.h"
#include "../tensor.h"

namespace normlab {

struct AttentionOptions {
  Index heads = 1;
  bool causal = false;
  double dropout = 0;      // of the attention probabilities
  RandomStream stream;     // used when dropout > 0
  bool recompute = false;  // y is made again in backward, not kept
};

// query[n tokens, width] packed as `query_rows`; key and value[m tokens, width] packed as `key_rows`, with the same
// number of sequences. Each of `heads` heads sees its own slice of width / heads features. For each sequence and head
//   y = dropout(softmax(q k^T / sqrt(width / heads))) v.
// Causal: query i of n sees the keys up to m - n + i, so that a key/value cache and a whole sequence are the same op.
// Error when width is not divisible by heads, when shapes and Rows disagree, or when a causal query would see no key.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Rows& query_rows,
                 const Rows& key_rows, const AttentionOptions& options);

}  // namespace normlab
