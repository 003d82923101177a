// The exponential of many numbers at once. For the sources of ops.
#pragma once

#include <algorithm>

#include "../shape.h"

namespace normlab {

// y[i] = exp(x[i] - shift); y may be x. Relative error 1e-7 (f32) and 2e-16 (f64); results below the least normal
// number may be 0. exp(-infinity) is 0, exp(NaN) is NaN. A number larger than 88 (f32) or 709 (f64) gives a meaningless
// one: softmax and the like only have exponentials of what is not positive. A number has the same bits wherever it
// stands.
void exponentials(const float* x, float shift, Index size, float* y);
void exponentials(const double* x, double shift, Index size, double* y);

// use(begin, count, y) with y[i] = exp(x[begin + i] - shift) for i < count, block by block: for those who need not
// store them. `use` may change x[begin + i].
template <class T, class Use>
void for_exponentials(const T* x, Index size, T shift, Use use) {
  constexpr Index kBlock = 256;
  alignas(64) T y[kBlock];  // Eigen adds up in another order where an address is another
  for (Index begin = 0; begin < size; begin += kBlock) {
    const Index count = std::min(kBlock, size - begin);
    exponentials(x + begin, shift, count, y);
    use(begin, count, y);
  }
}

}  // namespace normlab
