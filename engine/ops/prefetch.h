// A hint to the processor, for the sources of ops.
#pragma once

#include "../dtype.h"

namespace normlab {

// Asks for `count` numbers from `first` on to be fetched; addresses past the end of a tensor are no harm.
template <class T>
void prefetch(const T* first, Index count) {
  constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));
  for (Index j = 0; j < count; j += kLine) __builtin_prefetch(first + j);
}

// Asks for row `index` of x[…, columns] to be fetched while the row before it is worked on; a row past the end is no
// harm. The processor fetches ahead by itself, enough for a plain copy, but in a loop that also keeps sums it looks too
// short a way ahead: such a loop takes twice the time without this (measured on an AMD Zen 4).
template <class T>
void prefetch_row(const T* x, Index index, Index columns) {
  prefetch(x + index * columns, columns);
}

}  // namespace normlab
