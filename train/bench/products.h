// The matrix products of the workloads' models, timed with each library behind the seam.
#pragma once

#include <string>
#include <vector>

#include "../../engine/gemm.h"

namespace normlab {

// One product c[m, n] = op(a)[m, k] * op(b)[k, n] of a training step, as engine/ops/product.cpp asks for it.
struct ProductFigures {
  std::string name;  // "nmt feed_forward up, dW"
  Index m = 0, n = 0, k = 0;
  bool transposed_a = false, transposed_b = false;
  std::vector<double> seconds = {};  // the median with each library
  double operations() const { return 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
};

struct ProductsFigures {
  int rounds = 0;                           // that were counted
  double peak = 0;                          // operations per second; see peak.h
  std::vector<std::string> libraries = {};  // with their versions
  std::vector<ProductFigures> products;
};

// Forward, dx and dW of every linear map of lm and nmt, 2048 tokens, in f32, `rounds` times with each library in turn.
// At least 2; the first is not counted.
ProductsFigures measure_products(int rounds);

std::string as_text(const ProductsFigures& figures);
std::string as_json(const ProductsFigures& figures);  // one line a product

}  // namespace normlab
