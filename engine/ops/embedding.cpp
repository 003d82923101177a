// Embedding: rows of the table, read by token id. Formula and kernels are those of lookup.cpp.
#include "embedding.h"

#include "lookup.h"

namespace normlab {

Tensor embedding(const Tensor& table, const Tensor& ids, double factor) {
  return lookup("embedding", table, ids, factor);
}

}  // namespace normlab
