// The position-wise feed-forward network (Vaswani et al. 2017, 3.3).
#pragma once

#include "dropout.h"
#include "linear.h"

namespace normlab {

enum class Activation { relu, gelu };

struct FeedForwardOptions {
  Index width = 0;
  Index inner = 0;  // features between the two maps
  Activation activation = Activation::relu;
  double dropout = 0;  // of the activations between the two maps
};

// y = outer(dropout(activation(inner(x)))), each row x[width] by itself.
class FeedForward : public Module {
 public:
  FeedForward(const Init& init, const FeedForwardOptions& options);
  Tensor forward(const Tensor& x, const Pass& pass) const;

 private:
  Activation activation_;
  Dropout dropout_;
  Linear& inner_;
  Linear& outer_;
};

}  // namespace normlab
