// Positions: tells a Transformer where in its sequence a token stands.
#pragma once

#include "../engine/rows.h"
#include "module.h"

namespace normlab {

enum class PositionKind { sinusoidal, learned, none };

// The table of Vaswani et al. 2017 (3.5): for position p and feature j of `width`
//   table[p, j] = sin(p / 10000^(j / width)) for even j, cos(p / 10000^((j - 1) / width)) for odd j.
Tensor sinusoidal_table(Index longest, Index width, Dtype dtype);

// y = x + table[first + position of each row in its own sequence], x[tokens, width]. The learned table is the parameter
// `weight[longest, width]`, N(0, 1 / width) at first; the sinusoidal one is computed and no parameter.
class Positions : public Module {
 public:
  Positions(const Init& init, PositionKind kind, Index longest, Index width);
  // `first`: where the sequences begin, for those that continue others. Error when one ends behind the table.
  Tensor forward(const Tensor& x, const Rows& rows, Index first = 0) const;

 private:
  PositionKind kind_;
  Index longest_;
  Tensor table_;
};

}  // namespace normlab
