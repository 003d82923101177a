// What ops that treat each element alone have in common. For the sources of ops, not for users.
#pragma once

#include "../parallel.h"
#include "../tape.h"

namespace normlab {

// y[i] = value(i) for all i in [0, size), on several threads.
template <class T, class Value>
void for_each_element(Index size, T* y, Value value) {
  parallel_rows(size, 1, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y[i] = value(i);
  });
}

// dx[i] += value(i) for all elements of the gradient dx of input `input`, if anyone wants it. dx may take the memory of
// `dying`, of which value(i) then reads element i alone.
template <class T, class Value>
void add_gradient(Gradients& into, Index input, Value value, const Tensor& dying = {}) {
  if (!into.wants(input)) return;
  const Gradients::Target target = into.target(input, dying);
  T* dx = target.gradient.data<T>();
  if (target.accumulate) {
    for_each_element(target.gradient.size(), dx, [=](Index i) { return dx[i] + value(i); });
  } else {
    for_each_element(target.gradient.size(), dx, value);
  }
}

// What to keep of y = forward(x): where x is made again, y is made from that.
template <class Forward>
Kept kept_output(const Tensor& x, const Tensor& y, Forward forward) {
  const std::optional<Remake> recipe = Kept::recipe(x);
  return recipe ? Kept([recipe = *recipe, forward] { return forward(recipe()); }) : Kept(y);
}

// dx += dy. Where dx is new and nobody else holds dy, dy itself becomes dx and nothing is copied.
inline void pass_gradient(Gradients& into, Index input, const Tensor& dy) {
  if (!into.wants(input)) return;
  const Gradients::Target target = into.target(input, dy);
  if (!target.accumulate && target.gradient.raw() == dy.raw()) return;
  visit_real("gradient", dy.dtype(), [&]<class T>() {
    T* dx = target.gradient.data<T>();
    const T* from = dy.data<T>();
    if (target.accumulate) {
      for_each_element(dy.size(), dx, [=](Index i) { return dx[i] + from[i]; });
    } else {
      for_each_element(dy.size(), dx, [=](Index i) { return from[i]; });
    }
  });
}

// The error of two operands that must be alike and are not.
inline void check_alike(const char* op, const Tensor& a, const Tensor& b) {
  check(a.shape() == b.shape() && a.dtype() == b.dtype(), op, ": both operands must have one shape and dtype, got ",
        a.dtype(), " ", a.shape(), " and ", b.dtype(), " ", b.shape());
}

}  // namespace normlab
