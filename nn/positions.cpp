// Positions: see the header.
#include "positions.h"

#include <cmath>

#include "../engine/ops/elementwise.h"
#include "../engine/ops/reduce.h"

namespace normlab {
namespace {

// i32 [tokens]: first, first + 1, … counted anew in each sequence.
Tensor positions_of(const Rows& rows, Index first) {
  Tensor positions = Tensor::empty({rows.tokens()}, Dtype::i32);
  std::int32_t* out = positions.data<std::int32_t>();
  for (Index sequence = 0; sequence < rows.sequences(); ++sequence) {
    for (Index p = 0; p < rows.length(sequence); ++p) *out++ = static_cast<std::int32_t>(first + p);
  }
  return positions;
}

}  // namespace

Tensor sinusoidal_table(Index longest, Index width, Dtype dtype) {
  Tensor table = Tensor::empty({longest, width}, dtype);
  for (Index j = 0; j < width; ++j) {
    const double frequency = std::pow(10000.0, -static_cast<double>(j - j % 2) / static_cast<double>(width));
    for (Index p = 0; p < longest; ++p) {
      const double angle = static_cast<double>(p) * frequency;
      table.set(p * width + j, j % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return table;
}

Positions::Positions(const Init& init, PositionKind kind, Index longest, Index width)
    : Module(init), kind_(kind), longest_(longest) {
  if (kind == PositionKind::learned) {
    table_ = parameter("weight", {longest, width}, normal(1 / std::sqrt(static_cast<double>(width))));
  } else if (kind == PositionKind::sinusoidal && init.allocate) {
    table_ = sinusoidal_table(longest, width, init.dtype);
  }
}

Tensor Positions::forward(const Tensor& x, const Rows& rows, Index first) const {
  return output([&] {
    if (kind_ == PositionKind::none) return x;
    check(first + rows.longest() <= longest_, "positions: sequences must have at most ", longest_,
          " tokens, got one of ", first + rows.longest());
    return add(x, gather_rows(table_, positions_of(rows, first)));
  });
}

}  // namespace normlab
