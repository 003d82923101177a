// Linear: see the header.
#include "linear.h"

#include "../engine/ops/product.h"

namespace normlab {

Linear::Linear(const Init& init, Index in, Index out, bool with_bias)
    : Module(init),
      weight_(parameter("weight", {out, in}, xavier_normal(in, out))),
      bias_(with_bias ? parameter("bias", {out}, constant(0)) : Tensor()) {}

Tensor Linear::forward(const Tensor& x, bool recompute) const {
  return output([&] { return linear(x, weight_, bias_, recompute); });
}

}  // namespace normlab
