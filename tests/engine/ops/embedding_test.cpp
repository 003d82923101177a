// Embedding.
#include "engine/ops/embedding.h"

#include "engine/gradcheck.h"
#include "engine/ops/product.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

TEST_CASE("embedding: values") {
  const Tensor table = Tensor::from<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor ids = Tensor::from<std::int32_t>({4}, {2, 0, 2, 1});
  CHECK(same_bits(embedding(table, ids), Tensor::from<float>({4, 2}, {5, 6, 1, 2, 5, 6, 3, 4})));
  CHECK(same_bits(embedding(table, ids, -2), Tensor::from<float>({4, 2}, {-10, -12, -2, -4, -10, -12, -6, -8})));
  CHECK(embedding(table, Tensor::zeros({0}, Dtype::i32)).shape() == Shape{0, 2});
}

TEST_CASE("embedding: gradients, with ids that come once, several times, many times and never") {
  const Tensor ids = Tensor::from<std::int32_t>({14}, {3, 0, 3, 3, 1, 0, 4, 3, 3, 3, 3, 3, 0, 3});
  const auto result = gradcheck([=](const std::vector<Tensor>& in) { return embedding(in[0], ids, 1.5); },
                                {gaussian({6, 35}, "table")});
  INFO(result.report);
  CHECK(result);
}

TEST_CASE("embedding: a table tied to the output receives both gradients") {
  const Tensor ids = Tensor::from<std::int32_t>({4}, {1, 2, 1, 0});
  const auto result = gradcheck([=](const std::vector<Tensor>& in) { return linear(embedding(in[0], ids, 2), in[0]); },
                                {gaussian({3, 5}, "table")});
  INFO(result.report);
  CHECK(result);
}

TEST_CASE("embedding: f32 against f64, threads") {
  Tensor ids = Tensor::empty({3000}, Dtype::i32);
  for (Index i = 0; i < ids.size(); ++i) ids.set(i, static_cast<double>(i * i % 101));  // each about thirty times
  const TensorFunction f = [=](const std::vector<Tensor>& in) { return embedding(in[0], ids, 3); };
  const Tensor table = gaussian({101, 150}, "table", Dtype::f32);
  CHECK(difference_of_f32(f, {table}) < 1e-6);
  CHECK(same_on_any_threads(f, {table}));
}

TEST_CASE("embedding: errors say which id, where") {
  const Tensor table = Tensor::zeros({10, 2}, Dtype::f32);
  REQUIRE_THROWS_WITH(
      embedding(table, Tensor::from<std::int32_t>({3}, {0, 9, 10})),
      ContainsSubstring("embedding: indices must be in [0, 10) for a table [10, 2], got 10 at position 2"));
  REQUIRE_THROWS_WITH(embedding(table, Tensor::from<std::int32_t>({1}, {-1})),
                      ContainsSubstring("got -1 at position 0"));
  REQUIRE_THROWS_WITH(embedding(table, Tensor::zeros({3}, Dtype::f32)), ContainsSubstring("indices must be i32"));
  REQUIRE_THROWS_WITH(embedding(Tensor::zeros({3}, Dtype::f32), Tensor::zeros({3}, Dtype::i32)),
                      ContainsSubstring("embedding: the table must have rank 2"));
}
