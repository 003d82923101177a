// Softmax and log-softmax against their definitions, finite differences and each other.
#include "engine/ops/softmax.h"

#include <cmath>
#include <limits>
#include <utility>

#include "engine/gradcheck.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

Tensor softmax_of(const std::vector<Tensor>& in) { return softmax(in[0]); }
Tensor log_softmax_of(const std::vector<Tensor>& in) { return log_softmax(in[0]); }

}  // namespace

TEST_CASE("softmax is exp over its sum, row by row") {
  for (const Index n : {7, 257, 600}) {
    const Tensor x = gaussian({5, n}, "x");
    const Tensor y = softmax(x), log_y = log_softmax(x);
    for (Index i = 0; i < 5; ++i) {
      double sum = 0;
      for (Index j = 0; j < n; ++j) sum += std::exp(x.at(i * n + j));
      for (Index j = 0; j < n; ++j) {
        CHECK(y.at(i * n + j) == Approx(std::exp(x.at(i * n + j)) / sum).epsilon(1e-13));
        CHECK(log_y.at(i * n + j) == Approx(x.at(i * n + j) - std::log(sum)).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("softmax and log_softmax: gradients") {
  for (const Shape& shape : {Shape{3, 7}, Shape{2, 3, 5}, Shape{4, 1}, Shape{1, 33}, Shape{2, 300}}) {
    const GradcheckResult plain = gradcheck(softmax_of, {gaussian(shape, "x")});
    const GradcheckResult log = gradcheck(log_softmax_of, {gaussian(shape, "x")});
    INFO(plain.report << log.report);
    CHECK(plain);
    CHECK(log);
  }
}

TEST_CASE("softmax and log_softmax write the gradient over dy that nobody else holds, and over no other") {
  for (const bool log : {false, true}) {
    CAPTURE(log);
    const Tensor leaf = gaussian({3, 600}, "x").require_gradient(), dy = gaussian({3, 600}, "dy");
    const auto gradient_memory = [&](Tensor given) {
      leaf.gradient().fill(0);
      const void* memory = nullptr;
      Tape tape;
      const Tensor x = record("x", {&leaf}, leaf.detach(), [&](const Tensor& dx, Gradients& into) {
        memory = dx.raw();
        into[0].copy_from(dx);
      });
      tape.backward(log ? log_softmax(x) : softmax(x), std::move(given));
      return memory;
    };
    const Tensor before = dy.clone();
    CHECK(gradient_memory(dy) != dy.raw());
    CHECK(same_bits(dy, before));
    const Tensor expected = leaf.gradient().clone();
    Tensor dying = dy.clone();
    const void* memory = dying.raw();
    CHECK(gradient_memory(std::move(dying)) == memory);
    CHECK(same_bits(leaf.gradient(), expected));
  }
}

TEST_CASE("softmax in f32 keeps up with f64, at logits of 1e4 too") {
  for (const double mean : {0.0, 1e4, -1e4}) {
    const Tensor x = gaussian({9, 101}, "x", mean, 3);
    CHECK(difference_of_f32(softmax_of, {x}) < 1e-5);
    CHECK(difference_of_f32(log_softmax_of, {x}) < 1e-5);
  }
  const Tensor far = gaussian({9, 101}, "x", 0, 1e4).cast(Dtype::f32);
  CHECK(difference(softmax(far).cast(Dtype::f64), softmax(far.cast(Dtype::f64))) < 1e-5);
  CHECK(difference(log_softmax(far).cast(Dtype::f64), log_softmax(far.cast(Dtype::f64))) < 1e-5);
}

TEST_CASE("softmax lets NaN and infinity be seen") {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      for (Index at = 0; at < 19; ++at) {
        Tensor x = gaussian({1, 19}, "x").cast(dtype);
        x.set(at, bad);
        CHECK_FALSE(softmax(x).all_finite());
        CHECK_FALSE(log_softmax(x).all_finite());
      }
    }
  }
}

TEST_CASE("softmax: the same bits on any number of threads") {
  const Tensor x = gaussian({700, 67}, "x").cast(Dtype::f32);
  CHECK(same_on_any_threads(softmax_of, {x}));
  CHECK(same_on_any_threads(log_softmax_of, {x}));
}

TEST_CASE("softmax: errors") {
  REQUIRE_THROWS_WITH(softmax(Tensor::zeros({3}, Dtype::i32)), ContainsSubstring("softmax: takes f32 or f64, got i32"));
  REQUIRE_THROWS_WITH(log_softmax(Tensor::zeros({3, 0}, Dtype::f32)),
                      ContainsSubstring("log_softmax: the last axis must not be empty, got [3, 0]"));
}
