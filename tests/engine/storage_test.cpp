// The pool: blocks come back, close sizes share them, and repeating work asks nothing of the system.
#include "engine/storage.h"

#include "engine/tensor.h"
#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("a freed block serves the next request of its size and of somewhat smaller ones") {
  trim_pool();
  const auto before = pool_counts();
  { const Tensor a = Tensor::empty({1000}, Dtype::f32); }
  CHECK(pool_counts().fresh_blocks == before.fresh_blocks + 1);
  { const Tensor b = Tensor::empty({1000}, Dtype::f32); }
  { const Tensor c = Tensor::empty({990}, Dtype::f32); }  // the same class
  { const Tensor d = Tensor::empty({700}, Dtype::f32); }  // two thirds
  CHECK(pool_counts().fresh_blocks == before.fresh_blocks + 1);
  { const Tensor e = Tensor::empty({600}, Dtype::f32); }  // too small for a block of 4000 bytes
  CHECK(pool_counts().fresh_blocks == before.fresh_blocks + 2);
}

TEST_CASE("batches of ever changing length do not make the pool grow without bound") {
  trim_pool();
  const auto round = [](Index shift) {
    for (Index length = 100 + shift; length < 4000; length += 37) {
      const Tensor a = Tensor::empty({length, 3}, Dtype::f32), b = Tensor::empty({length}, Dtype::f64);
    }
  };
  round(0);
  const auto before = pool_counts();
  for (Index shift = 1; shift < 37; ++shift) round(shift);
  CHECK(pool_counts().fresh_blocks - before.fresh_blocks <= 4);
}

TEST_CASE("storage is aligned, counted, and refuses absurd sizes") {
  const auto before = pool_counts().bytes_in_use;
  {
    const Tensor a = Tensor::empty({3, 5}, Dtype::f64);
    CHECK(reinterpret_cast<std::uintptr_t>(a.raw()) % 64 == 0);
    CHECK(pool_counts().bytes_in_use >= before + 120);
  }
  CHECK(pool_counts().bytes_in_use == before);
  REQUIRE_THROWS_WITH(Tensor::empty({Index{1} << 40, 1 << 10}, Dtype::f64), ContainsSubstring("bytes in one tensor"));
  REQUIRE_THROWS_WITH(Tensor::empty({Index{1} << 62}, Dtype::f32), ContainsSubstring("more elements than any memory"));
  REQUIRE_THROWS_WITH(Shape({Index{1} << 32, Index{1} << 32}), ContainsSubstring("more elements than any memory"));
  REQUIRE_THROWS_WITH(Shape({0, Index{1} << 32, Index{1} << 32}), ContainsSubstring("more elements than any memory"));
  CHECK(Shape({0, Index{1} << 40}).size() == 0);
}
