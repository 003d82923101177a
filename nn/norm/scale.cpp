// ScaleNorm: see the header; the formula and its gradient stand in engine/ops/scale_norm.cpp.
#include "scale.h"

#include <cmath>

#include "../../engine/ops/scale_norm.h"

namespace normlab {

ScaleNorm::ScaleNorm(const Init& init, Index features, double epsilon)
    : Norm(init),
      epsilon_(epsilon),
      weight_(parameter("weight", {1}, constant(std::sqrt(static_cast<double>(features))))) {}

Tensor ScaleNorm::forward(const Tensor& x, const Rows&, const Pass&) {
  return output([&] { return scale_norm(x, weight_, epsilon_); });
}

void ScaleNormOptions::fields(Fields& f) {
  f.real("epsilon", epsilon, {.at_least = 0}, "added to the sum of squares, inside the root");
}

std::unique_ptr<Norm> ScaleNormOptions::make(const Init& init, Index features) const {
  return std::make_unique<ScaleNorm>(init, features, epsilon);
}

}  // namespace normlab
