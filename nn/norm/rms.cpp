// RMSNorm: see the header; the formula and its gradient stand in engine/ops/rms_norm.cpp.
#include "rms.h"

#include "../../engine/ops/rms_norm.h"

namespace normlab {

RmsNorm::RmsNorm(const Init& init, Index features, double epsilon)
    : Norm(init), epsilon_(epsilon), weight_(parameter("weight", {features}, constant(1))) {}

Tensor RmsNorm::forward(const Tensor& x, const Rows&, const Pass&) {
  return output([&] { return rms_norm(x, weight_, 1, epsilon_); });
}

void RmsNormOptions::fields(Fields& f) {
  f.real("epsilon", epsilon, {.at_least = 0}, "added to the mean square, inside the root");
}

std::unique_ptr<Norm> RmsNormOptions::make(const Init& init, Index features) const {
  return std::make_unique<RmsNorm>(init, features, epsilon);
}

}  // namespace normlab
