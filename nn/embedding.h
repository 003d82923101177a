// Embedding: a vector for each token, and the same matrix as the output layer where the two are tied.
#pragma once

#include "module.h"

namespace normlab {

// weight[vocabulary, width] starts at N(0, 1 / width); with the factor sqrt(width) of Vaswani et al. 2017 (3.4) the
// vectors enter the model with unit variance; so start the logits of a tied output.
class Embedding : public Module {
 public:
  Embedding(const Init& init, Index vocabulary, Index width, double factor);

  // y[tokens, width] = factor * weight[ids] for i32 ids[tokens]. Error when an id is not in [0, vocabulary).
  Tensor forward(const Tensor& ids) const;

  // For the output layer that shares this matrix (Press & Wolf 2017; so do Vaswani et al. and Xiong et al. 2020): its
  // logits are h * transpose(weight), without the factor.
  const Tensor& weight() const { return weight_; }

 private:
  double factor_;
  Tensor weight_;
};

}  // namespace normlab
