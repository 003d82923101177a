// Rows of a matrix read by index.
//
//   y_i = factor * table[ids_i]            dtable[r] = factor * sum of dy_i over all i with ids_i = r
//
// The backward first sorts the positions i by id, so that each row of dtable is made in one go by one thread, which
// adds its dy_i in the order of i: no two threads meet, and the order of a sum does not depend on how many there are.
#include "lookup.h"

#include <algorithm>
#include <numeric>

#include "../parallel.h"
#include "../tape.h"

namespace normlab {
namespace {

template <class T>
void lookup_forward(const T* table, const std::int32_t* ids, Index count, Index width, T factor, T* y) {
  parallel_rows(count, width, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T* row = table + ids[i] * width;
      for (Index j = 0; j < width; ++j) y[i * width + j] = factor * row[j];
    }
  });
}

// The positions of row 0, then those of row 1 and so on, in order each; those of row r end before ends[r].
struct Positions {
  Tensor sorted, ends;
};

Positions positions_by_id(const Tensor& ids, Index rows) {
  Positions p{Tensor::empty({ids.size()}, Dtype::i32), Tensor::zeros({rows + 1}, Dtype::i32)};
  const std::int32_t* id = ids.data<std::int32_t>();
  std::int32_t* sorted = p.sorted.data<std::int32_t>();
  std::int32_t* next = p.ends.data<std::int32_t>();  // where the next position of a row goes: at first its begin
  for (Index i = 0; i < ids.size(); ++i) ++next[id[i] + 1];
  std::partial_sum(next, next + rows + 1, next);
  for (Index i = 0; i < ids.size(); ++i) sorted[next[id[i]]++] = static_cast<std::int32_t>(i);
  return p;
}

template <class T>
void lookup_backward(const T* dy, const Positions& positions, Index rows, Index width, T factor, T* dtable,
                     bool accumulate) {
  const auto *sorted = positions.sorted.data<std::int32_t>(), *ends = positions.ends.data<std::int32_t>();
  const Index of_each = 1 + positions.sorted.size() / std::max<Index>(1, rows);
  parallel_rows(rows, of_each * width, [=](Index first, Index last) {
    for (Index r = first; r < last; ++r) {
      T* row = dtable + r * width;
      if (!accumulate) std::fill(row, row + width, T(0));
      const auto from = [=](Index k) { return dy + sorted[k] * width; };
      Index k = r > 0 ? ends[r - 1] : 0;
      // Four at a time, in the same order: their rows lie far apart, and so come from memory side by side.
      for (; k + 4 <= ends[r]; k += 4) {
        const T *a = from(k), *b = from(k + 1), *c = from(k + 2), *d = from(k + 3);
        for (Index j = 0; j < width; ++j) {
          row[j] = (((row[j] + factor * a[j]) + factor * b[j]) + factor * c[j]) + factor * d[j];
        }
      }
      for (; k < ends[r]; ++k) {
        const T* a = from(k);
        for (Index j = 0; j < width; ++j) row[j] += factor * a[j];
      }
    }
  });
}

void check_ids(const char* op, const Tensor& table, const Tensor& ids) {
  check(table.shape().rank() == 2, op, ": the table must have rank 2 [rows, width], got ", table.shape());
  check(ids.dtype() == Dtype::i32 && ids.shape().rank() == 1, op, ": indices must be i32 of rank 1, got ", ids.dtype(),
        " ", ids.shape());
  const auto values = ids.values<std::int32_t>();
  const auto rows = table.shape()[0];
  const auto bad = std::find_if(values.begin(), values.end(), [=](std::int32_t id) { return id < 0 || id >= rows; });
  if (bad != values.end()) {
    throw Error(text(op, ": indices must be in [0, ", rows, ") for a table ", table.shape(), ", got ", *bad,
                     " at position ", bad - values.begin()));
  }
}

}  // namespace

Tensor lookup(const char* op, const Tensor& table, const Tensor& ids, double factor) {
  check_ids(op, table, ids);
  const Index count = ids.size(), width = table.columns();
  Tensor y = Tensor::empty({count, width}, table.dtype());
  visit_real(op, table.dtype(), [&]<class T>() {
    lookup_forward(table.data<T>(), ids.data<std::int32_t>(), count, width, static_cast<T>(factor), y.data<T>());
  });
  return record(op, {&table}, y, [op, ids, factor](const Tensor& dy, Gradients& into) {
    if (!into.wants(0)) return;
    const Gradients::Target target = into.target(0);
    const Positions positions = positions_by_id(ids, target.gradient.rows());
    visit_real(op, dy.dtype(), [&]<class T>() {
      lookup_backward(dy.data<T>(), positions, target.gradient.rows(), dy.columns(), static_cast<T>(factor),
                      target.gradient.data<T>(), target.accumulate);
    });
  });
}

}  // namespace normlab
