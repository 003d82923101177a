// The closed set of element types, chosen at run time. Kernels are templates, modules are not: `visit_real` is the
// bridge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "error.h"

namespace normlab {

using Index = std::ptrdiff_t;

// f32 trains, f64 checks gradients, i32 holds token ids.
enum class Dtype : std::uint8_t { f32, f64, i32 };

inline const char* name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "f32";
    case Dtype::f64:
      return "f64";
    case Dtype::i32:
      return "i32";
  }
  return "?";
}

inline std::ostream& operator<<(std::ostream& out, Dtype dtype) { return out << name_of(dtype); }

inline std::size_t bytes_of(Dtype dtype) { return dtype == Dtype::f64 ? 8 : 4; }

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) {
    return Dtype::f32;
  } else if constexpr (std::is_same_v<T, double>) {
    return Dtype::f64;
  } else {
    static_assert(std::is_same_v<T, std::int32_t>, "tensors hold float, double or std::int32_t");
    return Dtype::i32;
  }
}

// Calls kernel.template operator()<T>() with T = float or double. Error on i32, naming `op`.
//   visit_real("relu", x.dtype(), [&]<class T>() { relu_forward<T>(x, y); });
template <class Kernel>
decltype(auto) visit_real(const char* op, Dtype dtype, Kernel&& kernel) {
  if (dtype == Dtype::f32) return kernel.template operator()<float>();
  check(dtype == Dtype::f64, op, ": takes f32 or f64, got ", dtype);
  return kernel.template operator()<double>();
}

}  // namespace normlab
