// Layer normalization: see the header; the formula and its gradient stand in engine/ops/layer_norm.cpp.
#include "layer.h"

#include "../../engine/ops/layer_norm.h"

namespace normlab {

LayerNorm::LayerNorm(const Init& init, Index features, double epsilon)
    : Norm(init),
      epsilon_(epsilon),
      weight_(parameter("weight", {features}, constant(1))),
      bias_(parameter("bias", {features}, constant(0))) {}

Tensor LayerNorm::forward(const Tensor& x, const Rows&, const Pass&) {
  return output([&] { return layer_norm(x, weight_, bias_, epsilon_); });
}

void LayerNormOptions::fields(Fields& f) {
  f.real("epsilon", epsilon, {.at_least = 0}, "added to the variance, inside the root");
}

std::unique_ptr<Norm> LayerNormOptions::make(const Init& init, Index features) const {
  return std::make_unique<LayerNorm>(init, features, epsilon);
}

}  // namespace normlab
