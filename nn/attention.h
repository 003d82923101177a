// Multi-head attention with its four linear maps (Vaswani et al. 2017, 3.2.2).
#pragma once

#include "../engine/rows.h"
#include "linear.h"

namespace normlab {

struct MultiHeadAttentionOptions {
  Index width = 0;
  Index heads = 1;
  bool causal = false;
  double dropout = 0;      // of the attention probabilities
  bool recompute = false;  // backward makes all but the inputs again rather than having it kept
};

// What queries look at: a key and a value of each packed token, [tokens, width] both.
struct KeysValues {
  Tensor key, value;
};

// y = output(attention(query(x), key(z), value(z))), all maps [width, width] with bias. Query, key and value are
// matrices of their own, each started by Xavier's rule with its own fan, as in Xiong et al. 2020.
class MultiHeadAttention : public Module {
 public:
  MultiHeadAttention(const Init& init, const MultiHeadAttentionOptions& options);
  // query_input[n tokens, width] packed as query_rows; key_value_input[m tokens, width] packed as key_rows, with as
  // many sequences. Self attention gives the same input and rows twice.
  Tensor forward(const Tensor& query_input, const Tensor& key_value_input, const Rows& query_rows, const Rows& key_rows,
                 const Pass& pass) const;
  // The same in two parts, for keys and values that are kept from one call to the next.
  KeysValues keys_values(const Tensor& input) const;
  Tensor forward(const Tensor& query_input, const KeysValues& seen, const Rows& query_rows, const Rows& key_rows,
                 const Pass& pass) const;

 private:
  Tensor attend(const Tensor& query, const KeysValues& seen, const Rows& query_rows, const Rows& key_rows,
                const Pass& pass) const;

  MultiHeadAttentionOptions options_;
  Linear& query_;
  Linear& key_;
  Linear& value_;
  Linear& output_;
};

}  // namespace normlab
