// Where the norm stands: pre and post against their formulas, and against every wrong wiring.
#include "nn/residual.h"

#include "engine/ops/elementwise.h"
#include "nn/norm/layer.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

// The branch squares: under a linear branch a norm forgets the scale, and wrong wirings look right.
Tensor square(const Tensor& x) { return multiply(x, x); }

}  // namespace

TEST_CASE("pre is x + f(norm(x)), post is norm(x + f(x)), and no other wiring gives the same") {
  const Rows rows = Rows::single(5);
  LayerNorm norm(init_f64("norm"), 6, 0.1);
  shake(norm);
  const auto normed = [&](const Tensor& x) { return norm.forward(x, rows, {}); };
  const Tensor x = random_tensor({5, 6}, "x");
  const Dropout off;
  const Tensor pre = residual(Placement::pre, norm, x, rows, {}, off, square);
  const Tensor post = residual(Placement::post, norm, x, rows, {}, off, square);
  CHECK(largest_difference(pre, add(x, square(normed(x)))) == 0);
  CHECK(largest_difference(post, normed(add(x, square(x)))) == 0);
  CHECK(largest_difference(pre, post) > 0.1);
  const std::vector<Tensor> wrong = {
      square(normed(x)),                  // no residual
      normed(square(x)),                  // no residual, norm behind
      add(normed(x), square(normed(x))),  // the residual taken behind the norm
      add(x, normed(square(x))),          // the branch's output normalized
      add(x, square(x)),                  // no norm
      add(normed(x), square(x)),          // the residual normalized, the branch not
      normed(add(x, square(normed(x)))),  // both norms
  };
  for (const Tensor& y : wrong) {
    CHECK(largest_difference(pre, y) > 0.1);
    CHECK(largest_difference(post, y) > 0.1);
  }
}

TEST_CASE("dropout falls on the branch alone, before the sum") {
  const Rows rows = Rows::single(50);
  LayerNorm norm(init_f64("norm"), 6);
  const Tensor x = random_tensor({50, 6}, "x");
  const Pass pass{.training = true, .seed = 1, .step = 1, .micro_batch = 0};
  const Dropout half{0.5, "site"};
  const Tensor pre = residual(Placement::pre, norm, x, rows, pass, half, square);
  CHECK(largest_difference(pre, add(x, half(square(norm.forward(x, rows, pass)), pass))) == 0);
  const Tensor post = residual(Placement::post, norm, x, rows, pass, half, square);
  CHECK(largest_difference(post, norm.forward(add(x, half(square(x), pass)), rows, pass)) == 0);
}

TEST_CASE("residual: gradient of both placements") {
  const Rows rows = Rows::single(4);
  for (const Placement placement : {Placement::pre, Placement::post}) {
    LayerNorm norm(init_f64("norm"), 6, 0.1);
    shake(norm);
    check_gradients(norm, {random_tensor({4, 6}, "x")}, [&](const std::vector<Tensor>& in) {
      return residual(placement, norm, in[0], rows, {}, {}, square);
    });
  }
}
