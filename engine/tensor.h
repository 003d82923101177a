// Tensor: a handle on a contiguous, row-major block of numbers with a shape and an element type.
//
// Copying a Tensor copies the handle, not the numbers. There are no strided views and no broadcasting; an op sees any
// shape as rows() x columns(). A tensor made by an op while a Tape lives remembers its place (slot) on that tape; a
// leaf (a parameter, or an input whose gradient is asked for) owns a permanent gradient instead. See tape.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shape.h"
#include "storage.h"

namespace normlab {

class Tensor {
 public:
  Tensor() = default;  // no tensor at all: defined() is false

  static Tensor empty(Shape shape, Dtype dtype);  // not initialised
  static Tensor zeros(Shape shape, Dtype dtype);
  static Tensor full(Shape shape, Dtype dtype, double value);
  static Tensor scalar(double value, Dtype dtype) { return full({}, dtype, value); }
  // A copy of `values`, whose number must be that of the shape.
  template <class T>
  static Tensor from(Shape shape, std::span<const T> values);
  template <class T>
  static Tensor from(Shape shape, const std::vector<T>& values) {
    return from<T>(std::move(shape), std::span<const T>(values));
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  Dtype dtype() const { return dtype_; }
  Index size() const { return size_; }
  Index rows() const { return shape_.rows(); }
  Index columns() const { return shape_.columns(); }

  // The numbers. Error when T is not the tensor's dtype.
  template <class T>
  T* data() {
    expect(dtype_of<T>());
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* data() const {
    expect(dtype_of<T>());
    return static_cast<const T*>(data_);
  }
  template <class T>
  std::span<T> values() {
    return {data<T>(), static_cast<std::size_t>(size_)};
  }
  template <class T>
  std::span<const T> values() const {
    return {data<T>(), static_cast<std::size_t>(size_)};
  }
  void* raw() { return data_; }
  const void* raw() const { return data_; }
  // Does no other handle share these numbers? Then nobody misses them, and who holds this one may write over them.
  bool alone() const { return storage_.use_count() == 1; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * bytes_of(dtype_); }

  // The value of a tensor of one element; one element by its flat index, row by row. Error when there is no such
  // element.
  double item() const;
  double at(Index index) const;
  void set(Index index, double value);

  Tensor clone() const;                 // the numbers copied; not on any tape
  Tensor cast(Dtype dtype) const;       // the numbers converted; not on any tape
  void copy_from(const Tensor& other);  // Error unless it has the same shape and dtype
  void fill(double value);
  bool all_finite() const;

  // The same numbers and the same place on the tape under another shape. Error unless it is of equal size, or for a
  // leaf.
  Tensor reshape(Shape shape) const;
  // The same numbers as a constant: no gradient flows through it.
  Tensor detach() const;

  // Makes this tensor a leaf with a zero gradient of its own; all later copies of the handle share it.
  Tensor& require_gradient();
  bool is_leaf() const { return gradient_ != nullptr; }
  Tensor& gradient() const;  // of a leaf; Error otherwise

 private:
  friend class Tape;
  void expect(Dtype dtype) const {
    check(defined(), "tensor: used before it was given a value");
    check(dtype == dtype_, "tensor: holds ", dtype_, ", asked for ", dtype);
  }

  std::shared_ptr<Storage> storage_;
  void* data_ = nullptr;
  Shape shape_;
  Index size_ = 0;
  Dtype dtype_ = Dtype::f32;
  std::shared_ptr<Tensor> gradient_;  // leaves only
  std::uint64_t tape_ = 0;            // which tape made it; 0 for none
  Index slot_ = -1;                   // and where on it
};

// An uninitialised tensor of the shape and dtype of `like`.
inline Tensor empty_like(const Tensor& like) { return Tensor::empty(like.shape(), like.dtype()); }
// The same in x's own memory, with x's numbers still there, when no other handle shares it. For ops that read element i
// of x no more once element i of y is written.
inline Tensor empty_over(const Tensor& x) { return x.alone() ? x.detach() : empty_like(x); }
inline Tensor zeros_like(const Tensor& like) { return Tensor::zeros(like.shape(), like.dtype()); }

}  // namespace normlab
