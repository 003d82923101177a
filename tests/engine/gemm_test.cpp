// The product seam against three plain loops, and the same bits on any number of threads.
#include "engine/gemm.h"

#include <vector>

#include "engine/random.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

struct Problem {
  Index m, n, k;
  bool transposed_a, transposed_b;
  Index padding;  // numbers between the end of a row and the next
  double alpha;
  bool accumulate;
};

// A row-major matrix with `padding` numbers behind each row.
template <class T>
struct Matrix {
  Matrix(Index rows, Index columns, Index padding, const char* name)
      : stride(columns + padding),
        numbers(gaussian({rows, stride}, name, dtype_of<T>())),
        data(numbers.template data<T>()) {}
  T at(Index i, Index j) const { return data[i * stride + j]; }
  Index stride;
  Tensor numbers;
  T* data;
};

// The largest |difference| from the triple loop, which sums in double, over sqrt(k + 1). Infinite when padding of c
// changed.
template <class T>
double error_of(const Problem& p, bool serial) {
  const Matrix<T> a(p.transposed_a ? p.k : p.m, p.transposed_a ? p.m : p.k, p.padding, "a");
  const Matrix<T> b(p.transposed_b ? p.n : p.k, p.transposed_b ? p.k : p.n, 2 * p.padding, "b");
  Matrix<T> c(p.m, p.n, 3 * p.padding, "c");
  const Matrix<T> before(p.m, p.n, 3 * p.padding, "c");
  (serial ? gemm_serial<T> : gemm<T>)(p.m, p.n, p.k, static_cast<T>(p.alpha), {a.data, a.stride, p.transposed_a},
                                      {b.data, b.stride, p.transposed_b}, c.data, c.stride, p.accumulate);
  double worst = 0;
  for (Index i = 0; i < p.m; ++i) {
    for (Index j = 0; j < p.n; ++j) {
      double sum = 0;
      for (Index l = 0; l < p.k; ++l) {
        sum += static_cast<double>(p.transposed_a ? a.at(l, i) : a.at(i, l)) *
               static_cast<double>(p.transposed_b ? b.at(j, l) : b.at(l, j));
      }
      const double expected = p.alpha * sum + (p.accumulate ? static_cast<double>(before.at(i, j)) : 0);
      worst = std::max(worst, std::abs(static_cast<double>(c.at(i, j)) - expected));
    }
    for (Index j = p.n; j < c.stride; ++j) {
      if (c.at(i, j) != before.at(i, j)) return std::numeric_limits<double>::infinity();
    }
  }
  return worst / std::sqrt(static_cast<double>(p.k) + 1);
}

}  // namespace

TEST_CASE("gemm equals three plain loops") {
  const std::vector<std::vector<Index>> shapes = {
      {1, 1, 1},    {1, 7, 5},     {9, 1, 4},    {3, 5, 0},    {0, 4, 3},     {4, 0, 3},   {17, 33, 65},
      {130, 71, 3}, {1, 300, 129}, {157, 1, 64}, {65, 330, 9}, {201, 66, 31}, {2, 3, 1000}};
  for (const auto& shape : shapes) {
    for (const int bits : {0, 1, 2, 3, 4, 5, 6, 7}) {
      const Problem p{
          shape[0],       shape[1], shape[2], (bits & 1) != 0, (bits & 2) != 0, bits % 3, bits % 2 ? 1 : -0.75,
          (bits & 4) != 0};
      INFO("m " << p.m << ", n " << p.n << ", k " << p.k << ", bits " << bits);
      for (const bool serial : {false, true}) {
        CHECK(error_of<double>(p, serial) <= 1e-14);
        CHECK(error_of<float>(p, serial) <= 4e-6);
      }
    }
  }
}

TEST_CASE("gemm does not read what it overwrites") {
  const float one = 1;
  for (const Index k : {0, 1}) {
    float c = std::numeric_limits<float>::quiet_NaN();
    gemm<float>(1, 1, k, 1, {&one, 1}, {&one, 1}, &c, 1, false);
    CHECK(c == static_cast<float>(k));
  }
}

TEST_CASE("gemm gives the same bits on any number of threads") {
  const auto product = [](Index m, Index n, Index k, bool transposed_a, bool transposed_b, int count) {
    const Tensor a = gaussian(transposed_a ? Shape{k, m} : Shape{m, k}, "a", Dtype::f32);
    const Tensor b = gaussian(transposed_b ? Shape{n, k} : Shape{k, n}, "b", Dtype::f32);
    Tensor c = Tensor::empty({m, n}, Dtype::f32);
    const int before = threads();
    set_threads(count);
    gemm<float>(m, n, k, 1, {a.data<float>(), a.columns(), transposed_a}, {b.data<float>(), b.columns(), transposed_b},
                c.data<float>(), n, false);
    set_threads(before);
    return c;
  };
  const std::vector<std::vector<Index>> shapes = {{100, 130, 70}, {70, 50, 5001}, {301, 130, 99}, {1, 999, 40}};
  for (const auto& shape : shapes) {
    for (const int bits : {0, 1, 2, 3}) {
      const auto on = [&](int count) { return product(shape[0], shape[1], shape[2], bits & 1, bits & 2, count); };
      const Tensor serial = on(1);
      INFO(shape[0] << " x " << shape[1] << " x " << shape[2] << ", bits " << bits);
      CHECK(same_bits(on(2), serial));
      CHECK(same_bits(on(3), serial));
      CHECK(same_bits(on(4), serial));
    }
  }
}

TEST_CASE("gemm refuses strides shorter than rows, and names its backend") {
  float x[8] = {};
  REQUIRE_THROWS_WITH(
      gemm<float>(2, 2, 2, 1, {x, 1}, {x, 2}, x, 2, false),
      ContainsSubstring("gemm: strides must be at least the row lengths 2, 2, 2 of a, b, c, got 1, 2, 2"));
  REQUIRE_THROWS_WITH(gemm_serial<float>(-1, 2, 2, 1, {x, 2}, {x, 2}, x, 2, false), ContainsSubstring("m = -1"));
  CHECK_THAT(gemm_backend(), ContainsSubstring("Eigen"));
}
