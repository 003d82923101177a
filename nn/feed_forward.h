// The position-wise feed-forward network (Vaswani et al. 2017, 3.3).
#pragma once

#include "dropout.h"
#include "linear.h"
#include "norm/norm.h"

namespace normlab {

enum class Activation { relu, gelu };

struct FeedForwardOptions {
  Index width = 0;
  Index inner = 0;  // features between the two maps
  Activation activation = Activation::relu;
  double dropout = 0;  // of the activations between the two maps
  NormConfig inner_norm{"none"};
  Index heads = 1;         // of the model, for the norm's pre-scale
  bool recompute = false;  // backward makes what stands between the maps again rather than having it kept
};

// y = outer(dropout(activation(inner_norm(inner(x))))), each row x[width] by itself where the norm does so. The norm is
// usually "none"; one more BatchNorm there is how Yao et al. 2021 make BatchNorm train in vision Transformers.
class FeedForward : public Module {
 public:
  FeedForward(const Init& init, const FeedForwardOptions& options);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) const;

 private:
  Activation activation_;
  bool recompute_;
  Dropout dropout_;
  Linear& inner_;
  Norm& inner_norm_;
  Linear& outer_;
};

}  // namespace normlab
