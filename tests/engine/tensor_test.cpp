// Tensors: handles, shapes, conversions and the messages of misuse.
#include "engine/tensor.h"

#include <limits>

#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("a tensor is rows x last axis, row-major") {
  const Tensor x = Tensor::from<float>({2, 3, 4}, std::vector<float>(24, 1.f));
  CHECK(x.rows() == 6);
  CHECK(x.columns() == 4);
  CHECK(x.size() == 24);
  const Tensor s = Tensor::scalar(2.5, Dtype::f64);
  CHECK(s.shape().rank() == 0);
  CHECK(s.item() == 2.5);
  CHECK(Tensor::empty({0, 5}, Dtype::f32).size() == 0);
}

TEST_CASE("copying a handle shares the numbers, clone does not") {
  Tensor a = Tensor::from<double>({2}, {1, 2});
  const Tensor handle = a, copy = a.clone();
  a.set(0, 7);
  CHECK(handle.at(0) == 7);
  CHECK(copy.at(0) == 1);
}

TEST_CASE("cast converts between all dtypes") {
  const Tensor a = Tensor::from<double>({3}, {1.5, -2, 3});
  CHECK(a.cast(Dtype::f32).values<float>()[0] == 1.5f);
  CHECK(a.cast(Dtype::i32).values<std::int32_t>()[1] == -2);
  CHECK(a.cast(Dtype::i32).cast(Dtype::f64).at(2) == 3);
}

TEST_CASE("all_finite finds NaN and both infinities") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      Tensor x = Tensor::full({37}, dtype, 1e30);
      CHECK(x.all_finite());
      x.set(29, bad);
      CHECK_FALSE(x.all_finite());
    }
  }
}

TEST_CASE("misuse of a tensor is a message with both sides") {
  Tensor x = Tensor::zeros({2, 3}, Dtype::f32);
  REQUIRE_THROWS_WITH(x.data<double>(), ContainsSubstring("holds f32, asked for f64"));
  REQUIRE_THROWS_WITH(x.reshape({7}), ContainsSubstring("shape [2, 3] holds 6 values, shape [7] holds 7"));
  REQUIRE_THROWS_WITH(x.item(), ContainsSubstring("one element, got shape [2, 3]"));
  REQUIRE_THROWS_WITH(x.gradient(), ContainsSubstring("require_gradient()"));
  REQUIRE_THROWS_WITH(x.copy_from(Tensor::zeros({3, 2}, Dtype::f32)),
                      ContainsSubstring("of shape [2, 3], got f32 of shape [3, 2]"));
  REQUIRE_THROWS_WITH(Tensor().data<float>(), ContainsSubstring("before it was given a value"));
  REQUIRE_THROWS_WITH(Tensor().clone(), ContainsSubstring("before it was given a value"));
  REQUIRE_THROWS_WITH((Tensor::from<float>({2}, std::vector<float>{1})), ContainsSubstring("holds 2 values, got 1"));
  REQUIRE_THROWS_WITH(Tensor::zeros({2}, Dtype::i32).require_gradient(), ContainsSubstring("i32 has no gradient"));
  REQUIRE_THROWS_WITH(Shape({2, -1}), ContainsSubstring("must not be negative, got [2, -1]"));
}
