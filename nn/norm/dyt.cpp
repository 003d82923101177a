// DyT: see the header; the formula and its gradient stand in engine/ops/dynamic_tanh.cpp.
#include "dyt.h"

#include "../../engine/ops/dynamic_tanh.h"

namespace normlab {

DynamicTanh::DynamicTanh(const Init& init, Index features, double alpha)
    : Norm(init),
      alpha_(parameter("alpha", {1}, constant(alpha))),
      weight_(parameter("weight", {features}, constant(1))),
      bias_(parameter("bias", {features}, constant(0))) {}

Tensor DynamicTanh::forward(const Tensor& x, const Rows&, const Pass&) {
  return output([&] { return dynamic_tanh(x, alpha_, weight_, bias_); });
}

void DynamicTanhOptions::fields(Fields& f) {
  f.real("alpha", alpha, {.above = 0}, "the first value of the factor inside tanh");
}

std::unique_ptr<Norm> DynamicTanhOptions::make(const Init& init, Index features) const {
  return std::make_unique<DynamicTanh>(init, features, alpha);
}

}  // namespace normlab
