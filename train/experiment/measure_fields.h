// What the measures' own files have in common. For the sources of measures, not for users.
#pragma once

#include "measures.h"

namespace normlab {

// Lists an operand that must be given.
template <class OperandOrSeries>
void operand_field(Fields& f, const char* name, OperandOrSeries& operand, const char* doc) {
  f.group(
      name,
      [&](Fields& g) {
        operand.fields(g);
        g.require(!operand.quantity.empty(), "quantity", "must be given");
      },
      doc);
}

// The measures of one number for each of several layers or arms: measures_over_places.cpp.
const std::vector<Registered<MeasureOptions>>& measures_over_places();

}  // namespace normlab
