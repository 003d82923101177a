// Rows of a matrix read by index.
//
//   y_i = factor * table[ids_i]            dtable[r] = factor * sum of dy_i over all i with ids_i = r
//
// The backward scatters. Threads share the work by columns, not by ids: each column of dtable belongs to one thread,
// which adds the dy_i in the order of i. No two threads meet, and the order of a sum does not depend on how many there
// are.
#include "lookup.h"

#include <algorithm>

#include "../parallel.h"
#include "../tape.h"

namespace normlab {
namespace {

constexpr Index kColumns = 64;  // of one piece of the backward: four cache lines of a row in f32

template <class T>
void lookup_forward(const T* table, const std::int32_t* ids, Index count, Index width, T factor, T* y) {
  parallel_rows(count, width, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T* row = table + ids[i] * width;
      for (Index j = 0; j < width; ++j) y[i * width + j] = factor * row[j];
    }
  });
}

template <class T>
void lookup_backward(const T* dy, const std::int32_t* ids, Index count, Index width, T factor, T* dtable) {
  const auto add_columns = [=](Index piece) {
    const Index begin = piece * kColumns, end = std::min(width, begin + kColumns);
    for (Index i = 0; i < count; ++i) {
      T* row = dtable + ids[i] * width;
      for (Index j = begin; j < end; ++j) row[j] += factor * dy[i * width + j];
    }
  };
  parallel((width + kColumns - 1) / kColumns, add_columns, count * width >= kWorthSharing);
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
    visit_real(op, dy.dtype(), [&]<class T>() {
      lookup_backward(dy.data<T>(), ids.data<std::int32_t>(), dy.rows(), dy.columns(), static_cast<T>(factor),
                      into[0].data<T>());
    });
  });
}

}  // namespace normlab
