// Embedding: see the header.
#include "embedding.h"

#include <cmath>

#include "../engine/ops/embedding.h"

namespace normlab {

Embedding::Embedding(const Init& init, Index vocabulary, Index width, double factor)
    : Module(init),
      factor_(factor),
      weight_(parameter("weight", {vocabulary, width}, normal(1 / std::sqrt(static_cast<double>(width))))) {}

Tensor Embedding::forward(const Tensor& ids) const {
  return output([&] { return embedding(weight_, ids, factor_); });
}

}  // namespace normlab
