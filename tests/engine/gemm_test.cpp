// The product seam against three plain loops, and the same bits on any number of threads, with each library behind it.
#include "engine/gemm.h"

#include <algorithm>
#include <vector>

#include "engine/parallel.h"
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
      worst = worse(worst, std::abs(static_cast<double>(c.at(i, j)) - expected));
    }
    for (Index j = p.n; j < c.stride; ++j) {
      if (c.at(i, j) != before.at(i, j)) return std::numeric_limits<double>::infinity();
    }
  }
  return worst / std::sqrt(static_cast<double>(p.k) + 1);
}

// Puts a library behind the seam, and what was there back again.
class WithLibrary {
 public:
  explicit WithLibrary(GemmLibrary library) { set_gemm_library(library); }
  ~WithLibrary() { set_gemm_library(gemm_libraries().front()); }
};

struct Case {
  Index m, n, k;
  bool transposed_a, transposed_b;
};

// Every tile is cut several times, and none of the extents is a multiple of a vector's.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& shape : std::vector<std::vector<Index>>{
           {100, 130, 70}, {70, 50, 5001}, {301, 130, 99}, {1, 999, 40}, {999, 1, 400}, {2048, 37, 64}}) {
    for (const int bits : {0, 1, 2, 3}) {
      all.push_back({shape[0], shape[1], shape[2], (bits & 1) != 0, (bits & 2) != 0});
    }
  }
  return all;
}

// A matrix of f32 numbers with `offset` more in front, so that it need not begin at a cache line.
Tensor matrix(Index rows, Index columns, const char* name, Index offset) {
  Tensor x = Tensor::zeros({offset + rows * columns}, Dtype::f32);
  const Tensor numbers = gaussian({rows * columns}, name, Dtype::f32);
  std::copy_n(numbers.data<float>(), numbers.size(), x.data<float>() + offset);
  return x;
}

Tensor product(const Case& p, bool serial, Index offset = 0) {
  const Tensor a = matrix(p.m, p.k, "a", offset), b = matrix(p.k, p.n, "b", offset);
  Tensor c = Tensor::zeros({offset + p.m * p.n}, Dtype::f32);
  (serial ? gemm_serial<float> : gemm<float>)(p.m, p.n, p.k, 1,
                                              {a.data<float>() + offset, p.transposed_a ? p.m : p.k, p.transposed_a},
                                              {b.data<float>() + offset, p.transposed_b ? p.k : p.n, p.transposed_b},
                                              c.data<float>() + offset, p.n, false);
  return Tensor::from<float>({p.m, p.n}, c.values<float>().subspan(static_cast<std::size_t>(offset)));
}

// The same on so many threads.
Tensor product_on(int count, const Case& p, bool serial) {
  const int before = threads();
  set_threads(count);
  Tensor c = product(p, serial);
  set_threads(before);
  return c;
}

}  // namespace

TEST_CASE("gemm equals three plain loops") {
  const auto library = GENERATE(from_range(gemm_libraries()));
  const WithLibrary behind(library);
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
  const auto library = GENERATE(from_range(gemm_libraries()));
  const WithLibrary behind(library);
  const float one = 1;
  for (const Index k : {0, 1}) {
    float c = std::numeric_limits<float>::quiet_NaN();
    gemm<float>(1, 1, k, 1, {&one, 1}, {&one, 1}, &c, 1, false);
    CHECK(c == static_cast<float>(k));
  }
}

TEST_CASE("gemm gives the same bits on any number of threads") {
  const auto library = GENERATE(from_range(gemm_libraries()));
  const WithLibrary behind(library);
  for (const Case& p : cases()) {
    INFO(gemm_backend() << ": " << p.m << " x " << p.n << " x " << p.k << ", " << p.transposed_a << p.transposed_b);
    const Tensor one = product_on(1, p, false);
    for (const int count : {2, 3, 4}) CHECK(same_bits(product_on(count, p, false), one));
  }
}

TEST_CASE(
    "gemm_serial keeps to the calling thread: the same bits inside parallel() and outside, on 1, 2 and 4 threads") {
  const auto library = GENERATE(from_range(gemm_libraries()));
  const WithLibrary behind(library);
  for (const Case& p : cases()) {
    INFO(gemm_backend() << ": " << p.m << " x " << p.n << " x " << p.k << ", " << p.transposed_a << p.transposed_b);
    const Tensor alone = product_on(1, p, true);
    for (const int count : {2, 4}) CHECK(same_bits(product_on(count, p, true), alone));
    std::vector<Tensor> inside(2);
    parallel(2, [&](Index i) { inside[static_cast<std::size_t>(i)] = product(p, true); });
    CHECK(same_bits(inside[0], alone));
    CHECK(same_bits(inside[1], alone));
  }
}

TEST_CASE("gemm gives the same bits wherever its operands begin") {
  const auto library = GENERATE(from_range(gemm_libraries()));
  const WithLibrary behind(library);
  for (const Case& p : cases()) {
    INFO(gemm_backend() << ": " << p.m << " x " << p.n << " x " << p.k << ", " << p.transposed_a << p.transposed_b);
    const Tensor aligned = product(p, false);
    for (const Index offset : {1, 8}) CHECK(same_bits(product(p, false, offset), aligned));
  }
}

TEST_CASE("gemm refuses strides shorter than rows") {
  float x[8] = {};
  REQUIRE_THROWS_WITH(
      gemm<float>(2, 2, 2, 1, {x, 1}, {x, 2}, x, 2, false),
      ContainsSubstring("gemm: strides must be at least the row lengths 2, 2, 2 of a, b, c, got 1, 2, 2"));
  REQUIRE_THROWS_WITH(gemm_serial<float>(-1, 2, 2, 1, {x, 2}, {x, 2}, x, 2, false), ContainsSubstring("m = -1"));
}

TEST_CASE("gemm names its library, and Eigen is always there") {
  const auto libraries = gemm_libraries();
  CHECK_THAT(gemm_backend(), ContainsSubstring(libraries.front() == GemmLibrary::onednn ? "oneDNN" : "Eigen"));
  CHECK(std::count(libraries.begin(), libraries.end(), GemmLibrary::eigen) == 1);
  for (const GemmLibrary library : libraries) {
    const WithLibrary behind(library);
    CHECK_THAT(gemm_backend(), ContainsSubstring(library == GemmLibrary::onednn ? "oneDNN" : "Eigen"));
  }
  if (libraries.size() == 1) {
    REQUIRE_THROWS_WITH(set_gemm_library(GemmLibrary::onednn), ContainsSubstring("oneDNN is not built in"));
  }
}
