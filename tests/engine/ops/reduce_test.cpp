// Reductions, and picking rows.
#include "engine/ops/reduce.h"

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

struct Case {
  const char* name;
  TensorFunction f;
};

std::vector<Case> cases(const Tensor& picked) {
  return {
      {"sum", [](const std::vector<Tensor>& in) { return sum(in[0]); }},
      {"mean", [](const std::vector<Tensor>& in) { return mean(in[0]); }},
      {"sum_rows", [](const std::vector<Tensor>& in) { return sum_rows(in[0]); }},
      {"mean_rows", [](const std::vector<Tensor>& in) { return mean_rows(in[0]); }},
      {"sum_of_squares", [](const std::vector<Tensor>& in) { return sum_of_squares(in[0]); }},
      {"gather_rows", [=](const std::vector<Tensor>& in) { return gather_rows(in[0], picked); }},
  };
}

}  // namespace

TEST_CASE("reductions: gradients") {
  for (const Case& c : cases(Tensor::from<std::int32_t>({6}, {4, 0, 4, 4, 2, 0}))) {
    const auto result = gradcheck(c.f, {gaussian({5, 7}, "x")});
    INFO(c.name << '\n' << result.report);
    CHECK(result);
  }
}

TEST_CASE("reductions: f32 against f64, threads") {
  Tensor picked = Tensor::empty({2000}, Dtype::i32);
  for (Index i = 0; i < picked.size(); ++i) picked.set(i, static_cast<double>(i * i % 997));
  for (const Case& c : cases(picked)) {
    INFO(c.name);
    const Tensor x = gaussian({997, 71}, "x", Dtype::f32);
    CHECK(difference_of_f32(c.f, {x}) < 1e-6);
    CHECK(same_on_any_threads(c.f, {x}));
  }
}

TEST_CASE("reductions: values") {
  const Tensor x = Tensor::from<double>({2, 3}, {1, 2, 3, 4, 5, 9});
  CHECK(sum(x).item() == 24);
  CHECK(sum(x).shape() == Shape{});
  CHECK(mean(x).item() == 4);
  CHECK(sum_of_squares(x).item() == 136);
  CHECK(same_bits(sum_rows(x), Tensor::from<double>({3}, {5, 7, 12})));
  CHECK(same_bits(mean_rows(x), Tensor::from<double>({3}, {2.5, 3.5, 6})));
  CHECK(same_bits(gather_rows(x, Tensor::from<std::int32_t>({3}, {1, 0, 1})),
                  Tensor::from<double>({3, 3}, {4, 5, 9, 1, 2, 3, 4, 5, 9})));
  CHECK(sum(Tensor::zeros({0, 3}, Dtype::f32)).item() == 0);
  CHECK(same_bits(sum_rows(Tensor::zeros({0, 3}, Dtype::f32)), Tensor::zeros({3}, Dtype::f32)));
}

TEST_CASE("reductions: f32 sums lose no digits on the way") {
  // 2^24 + 1 is no float: summed in f32, ones stop counting there.
  const Index n = (Index{1} << 24) + 64;
  const Tensor ones = Tensor::full({n, 1}, Dtype::f32, 1);
  CHECK(sum(ones).item() == static_cast<double>(n));
  CHECK(mean(ones).item() == 1);
  CHECK(sum_rows(ones).item() == static_cast<double>(n));
}

TEST_CASE("reductions: errors") {
  const Tensor x = Tensor::zeros({3, 2}, Dtype::f32);
  REQUIRE_THROWS_WITH(mean(Tensor::zeros({0, 2}, Dtype::f32)),
                      ContainsSubstring("mean: x must have elements, got shape [0, 2]"));
  REQUIRE_THROWS_WITH(mean_rows(Tensor::zeros({0, 2}, Dtype::f32)), ContainsSubstring("mean_rows: x must have rows"));
  REQUIRE_THROWS_WITH(sum(Tensor::zeros({2}, Dtype::i32)), ContainsSubstring("sum: takes f32 or f64, got i32"));
  REQUIRE_THROWS_WITH(
      gather_rows(x, Tensor::from<std::int32_t>({2}, {0, 3})),
      ContainsSubstring("gather_rows: indices must be in [0, 3) for a table [3, 2], got 3 at position 1"));
  REQUIRE_THROWS_WITH(gather_rows(x, x),
                      ContainsSubstring("gather_rows: indices must be i32 of rank 1, got f32 [3, 2]"));
}
