// The residual connection: see the header.
#include "residual.h"

namespace normlab {

Tensor residual(Placement placement, Norm& norm, const Tensor& x, const Rows& rows, const Pass& pass,
                const Dropout& dropout, const std::function<Tensor(const Tensor&)>& branch) {
  if (placement == Placement::pre) return dropout.add(x, branch(norm.forward(x, rows, pass)), pass);
  return norm.forward(dropout.add(x, branch(x), pass), rows, pass);
}

}  // namespace normlab
