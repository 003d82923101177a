// The pre-scale: see the header; the formula and its gradient stand in engine/ops/rms_norm.cpp.
#include "pre_scale.h"

#include "../../engine/ops/rms_norm.h"

namespace normlab {

PreScaledNorm::PreScaledNorm(const Init& init, std::unique_ptr<Norm> norm, Index groups)
    : Norm(init), groups_(groups), norm_(adopt("", std::move(norm))) {}

Tensor PreScaledNorm::forward(const Tensor& x, const Rows& rows, const Pass& pass) {
  Tensor scaled;
  try {
    scaled = rms_norm(x, Tensor(), groups_, kEpsilon);
  } catch (const Error&) {
    rethrow_with_path();
  }
  return norm_.forward(scaled, rows, pass);
}

Norm::Passes PreScaledNorm::passes() const {
  const Passes own, after = norm_.passes();
  return {own.forward + after.forward, own.backward + after.backward};
}

}  // namespace normlab
