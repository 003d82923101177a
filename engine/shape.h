// Shape: the extents of a tensor, outermost first. Ops see any shape as rows x last axis.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "dtype.h"

namespace normlab {

class Shape {
 public:
  Shape() = default;  // rank 0: one element
  Shape(std::initializer_list<Index> extents) : Shape(std::vector<Index>(extents)) {}
  explicit Shape(std::vector<Index> extents) : extents_(std::move(extents)) {
    Index elements = 1;  // a zero extent aside
    for (Index extent : extents_) {
      check(extent >= 0, "shape: extents must not be negative, got ", *this);
      check(extent <= kMostElements / elements, "shape: more elements than any memory holds, got ", *this);
      elements *= std::max<Index>(1, extent);
    }
  }

  Index rank() const { return static_cast<Index>(extents_.size()); }
  Index operator[](Index axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  const std::vector<Index>& extents() const { return extents_; }

  // Number of elements.
  Index size() const {
    Index product = 1;
    for (Index extent : extents_) product *= extent;
    return product;
  }
  // The last extent; 1 for rank 0.
  Index columns() const { return extents_.empty() ? 1 : extents_.back(); }
  // The product of all extents but the last.
  Index rows() const {
    Index product = 1;
    for (std::size_t axis = 0; axis + 1 < extents_.size(); ++axis) product *= extents_[axis];
    return product;
  }

  bool operator==(const Shape&) const = default;

  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '[';
    for (Index axis = 0; axis < shape.rank(); ++axis) out << (axis ? ", " : "") << shape[axis];
    return out << ']';
  }

 private:
  static constexpr Index kMostElements = Index{1} << 56;
  std::vector<Index> extents_;
};

}  // namespace normlab
