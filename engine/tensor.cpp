// Tensor: making, reading and copying.
#include "tensor.h"

#include <cmath>
#include <cstring>

#include "parallel.h"

namespace normlab {
namespace {

// Calls f.template operator()<T>() for any of the three dtypes.
template <class F>
decltype(auto) visit_any(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::f32:
      return f.template operator()<float>();
    case Dtype::f64:
      return f.template operator()<double>();
    case Dtype::i32:
      break;
  }
  return f.template operator()<std::int32_t>();
}

}  // namespace

Tensor Tensor::empty(Shape shape, Dtype dtype) {
  Tensor t;
  t.size_ = shape.size();
  t.storage_ = Storage::take(static_cast<std::size_t>(t.size_) * bytes_of(dtype));
  t.data_ = t.storage_->data();
  t.shape_ = std::move(shape);
  t.dtype_ = dtype;
  return t;
}

Tensor Tensor::zeros(Shape shape, Dtype dtype) {
  Tensor t = empty(std::move(shape), dtype);
  t.fill(0);
  return t;
}

Tensor Tensor::full(Shape shape, Dtype dtype, double value) {
  Tensor t = empty(std::move(shape), dtype);
  t.fill(value);
  return t;
}

template <class T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor t = empty(std::move(shape), dtype_of<T>());
  check(t.size() == static_cast<Index>(values.size()), "tensor: the shape ", t.shape(), " holds ", t.size(),
        " values, got ", values.size());
  std::copy(values.begin(), values.end(), t.data<T>());
  return t;
}
template Tensor Tensor::from(Shape, std::span<const float>);
template Tensor Tensor::from(Shape, std::span<const double>);
template Tensor Tensor::from(Shape, std::span<const std::int32_t>);

double Tensor::item() const {
  check(defined() && size_ == 1, "item: wants a tensor of one element, got shape ", shape_);
  return at(0);
}

double Tensor::at(Index index) const {
  check(index >= 0 && index < size_, "at: index ", index, " of a tensor of shape ", shape_);
  return visit_any(dtype_, [&]<class T>() { return static_cast<double>(data<T>()[index]); });
}

void Tensor::set(Index index, double value) {
  check(index >= 0 && index < size_, "set: index ", index, " of a tensor of shape ", shape_);
  visit_any(dtype_, [&]<class T>() { data<T>()[index] = static_cast<T>(value); });
}

Tensor Tensor::clone() const {
  Tensor copy = empty(shape_, dtype_);
  copy.copy_from(*this);
  return copy;
}

Tensor Tensor::cast(Dtype dtype) const {
  Tensor result = empty(shape_, dtype);
  visit_any(dtype_, [&]<class From>() {
    visit_any(dtype, [&]<class To>() {
      const From* from = data<From>();
      To* to = result.data<To>();
      for (Index i = 0; i < size_; ++i) to[i] = static_cast<To>(from[i]);
    });
  });
  return result;
}

void Tensor::copy_from(const Tensor& other) {
  check(defined() && other.defined(), "tensor: used before it was given a value");
  check(shape_ == other.shape_ && dtype_ == other.dtype_, "copy_from: wants ", dtype_, " of shape ", shape_, ", got ",
        other.dtype_, " of shape ", other.shape_);
  if (size_ > 0) std::memcpy(data_, other.data_, bytes());
}

void Tensor::fill(double value) {
  visit_any(dtype_, [&]<class T>() {
    T* numbers = data<T>();
    parallel_rows(size_, 1,
                  [&](Index begin, Index end) { std::fill(numbers + begin, numbers + end, static_cast<T>(value)); });
  });
}

bool Tensor::all_finite() const {
  if (dtype_ == Dtype::i32) return true;
  return visit_real("all_finite", dtype_, [&]<class T>() {
    const T* numbers = data<T>();
    // x - x is 0 for every finite x and NaN for the others; a sum has no branch.
    T sum = 0;
    for (Index i = 0; i < size_; ++i) sum += numbers[i] - numbers[i];
    return sum == 0;
  });
}

Tensor Tensor::reshape(Shape shape) const {
  check(shape.size() == size_, "reshape: shape ", shape_, " holds ", size_, " values, shape ", shape, " holds ",
        shape.size());
  check(!is_leaf(), "reshape: a leaf of shape ", shape_, " has a gradient of that shape; make it with shape ", shape);
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::detach() const {
  Tensor result = *this;
  result.gradient_.reset();
  result.tape_ = 0;
  result.slot_ = -1;
  return result;
}

Tensor& Tensor::require_gradient() {
  check(dtype_ != Dtype::i32, "require_gradient: ", dtype_, " has no gradient; use f32 or f64");
  if (!gradient_) gradient_ = std::make_shared<Tensor>(zeros(shape_, dtype_));
  tape_ = 0;
  slot_ = -1;
  return *this;
}

Tensor& Tensor::gradient() const {
  check(is_leaf(), "gradient: a tensor of shape ", shape_,
        " is no leaf; call require_gradient() on it before it is used");
  return *gradient_;
}

}  // namespace normlab
