// Linear: a learned affine map of each row.
#pragma once

#include "module.h"

namespace normlab {

// y[rows, out] = x[rows, in] * transpose(weight[out, in]) + bias[out]. The weight starts by Xavier's rule, the bias
// at zero. `recompute`: backward makes y again rather than having it kept.
class Linear : public Module {
 public:
  Linear(const Init& init, Index in, Index out, bool with_bias = true);
  Tensor forward(const Tensor& x, bool recompute = false) const;

  const Tensor& weight() const { return weight_; }
  const Tensor& bias() const { return bias_; }  // undefined without bias

 private:
  Tensor weight_;
  Tensor bias_;
};

}  // namespace normlab
