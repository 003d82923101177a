// The gradient checker is only worth what it catches: right backwards pass, each wrong one below must fail.
#include "engine/gradcheck.h"

#include <cmath>
#include <limits>

#include "engine/random.h"
#include "engine/tape.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

Tensor gaussian(Shape shape, const char* name, double mean = 0) {
  Tensor x = Tensor::empty(std::move(shape), Dtype::f64);
  fill_normal(x, random_stream(1, name), mean, 1);
  return x;
}

// README begin: an op of one's own, y = x^3, and its check.
Tensor cube(const Tensor& x) {
  Tensor y = zeros_like(x);
  for (Index i = 0; i < x.size(); ++i) y.set(i, std::pow(x.at(i), 3));
  return record("cube", {&x}, y, [x](const Tensor& dy, Gradients& into) {
    for (Index i = 0; i < x.size(); ++i) into[0].data<double>()[i] += 3 * x.at(i) * x.at(i) * dy.at(i);
  });
}

GradcheckResult check_cube(const Tensor& x) {
  return gradcheck([](const std::vector<Tensor>& in) { return cube(in[0]); }, {x});
}
// README end

// Layer norm without weight and bias on rows of n numbers, with one mistake chosen by name.
enum class Mistake {
  none,
  no_third_term,
  flipped_third_term,
  doubled,
  mean_kept,
  one_less,
  no_accumulation,
  stray,
  nan,
  drift,
  lost_in_slot
};

int calls = 0;

Tensor broken_layer_norm(const Tensor& x, Mistake mistake) {
  const Index n = x.columns();
  Tensor y = zeros_like(x);
  std::vector<double> rstd(static_cast<std::size_t>(x.rows()));
  for (Index r = 0; r < x.rows(); ++r) {
    double mean = 0, variance = 0;
    for (Index c = 0; c < n; ++c) mean += x.at(r * n + c) / static_cast<double>(n);
    for (Index c = 0; c < n; ++c) variance += std::pow(x.at(r * n + c) - mean, 2) / static_cast<double>(n);
    rstd[static_cast<std::size_t>(r)] = 1 / std::sqrt(variance + 1e-5);
    for (Index c = 0; c < n; ++c) y.set(r * n + c, (x.at(r * n + c) - mean) * rstd[static_cast<std::size_t>(r)]);
  }
  return record("broken", {&x}, y, [y, rstd, mistake](const Tensor& dy, Gradients& into) {
    if (mistake == Mistake::lost_in_slot) {
      const Gradients::Target target = into.target(0);
      if (!target.accumulate) return target.gradient.fill(0);
    }
    const Index width = y.columns();
    for (Index r = 0; r < y.rows(); ++r) {
      double mean = 0, product = 0;
      for (Index c = 0; c < width; ++c) {
        mean += dy.at(r * width + c) / static_cast<double>(width);
        product += dy.at(r * width + c) * y.at(r * width + c) /
                   static_cast<double>(mistake == Mistake::one_less ? width - 1 : width);
      }
      for (Index c = 0; c < width; ++c) {
        const Index i = r * width + c;
        double third = y.at(i) * product;
        if (mistake == Mistake::no_third_term) third = 0;
        if (mistake == Mistake::flipped_third_term) third = -third;
        double dx = rstd[static_cast<std::size_t>(r)] * (dy.at(i) - (mistake == Mistake::mean_kept ? 0 : mean) - third);
        if (mistake == Mistake::doubled) dx *= 2;
        if (mistake == Mistake::stray) dx += 1e-9;
        if (mistake == Mistake::nan && i == 2) dx = std::numeric_limits<double>::quiet_NaN();
        if (mistake == Mistake::drift) dx *= 1 + 1e-15 * ++calls;
        double& to = into[0].data<double>()[i];
        to = mistake == Mistake::no_accumulation ? dx : to + dx;
      }
    }
  });
}

GradcheckResult check_mistake(Mistake mistake) {
  return gradcheck([=](const std::vector<Tensor>& in) { return broken_layer_norm(in[0], mistake); },
                   {gaussian({3, 7}, "x")});
}

}  // namespace

TEST_CASE("a right backward passes, far within the tolerance") {
  const auto cubed = check_cube(gaussian({4}, "cube"));
  INFO(cubed.report);
  CHECK(cubed);
  CHECK(cubed.checked == 4);
  const auto norm = check_mistake(Mistake::none);
  INFO(norm.report);
  CHECK(norm);
  CHECK(norm.checked == 21);
  CHECK(norm.worst < 0.5);
}

TEST_CASE("every wrong backward is caught") {
  for (const auto mistake : {Mistake::no_third_term, Mistake::flipped_third_term, Mistake::doubled, Mistake::mean_kept,
                             Mistake::one_less, Mistake::nan}) {
    CHECK_FALSE(check_mistake(mistake));
    CHECK(check_mistake(mistake).worst > 1);
  }
}

TEST_CASE("a backward that overwrites, invents or drifts is caught though its values are right") {
  CHECK_THAT(check_mistake(Mistake::no_accumulation).report, ContainsSubstring("must add to the gradient"));
  CHECK_THAT(check_mistake(Mistake::stray).report, ContainsSubstring("a zero cotangent must give exactly 0"));
  CHECK_THAT(check_mistake(Mistake::drift).report, ContainsSubstring("different bits"));
  CHECK_THAT(check_mistake(Mistake::lost_in_slot).report,
             ContainsSubstring("the gradient of an intermediate value is 0"));
}

TEST_CASE("an output that is not finite cannot pass") {
  const auto result = gradcheck(
      [](const std::vector<Tensor>& in) {
        Tensor y = in[0].clone();
        y.set(0, std::numeric_limits<double>::quiet_NaN());
        return record("nan", {&in[0]}, y, [](const Tensor&, Gradients&) {});
      },
      {gaussian({2}, "x")});
  CHECK_FALSE(result);
  CHECK_THAT(result.report, ContainsSubstring("is not finite"));
}

TEST_CASE("a failure names output, input, element, analytic and numeric value") {
  GradcheckOptions options;
  options.names = {"weight"};
  const auto result = gradcheck(
      [](const std::vector<Tensor>& in) {
        Tensor y = in[0].clone();
        return record("half", {&in[0]}, y, [](const Tensor& dy, Gradients& into) {
          for (Index i = 0; i < dy.size(); ++i) into[0].data<double>()[i] += (i == 4 ? 0.5 : 1) * dy.at(i);
        });
      },
      {gaussian({2, 3}, "x")}, options);
  CHECK_THAT(result.report, ContainsSubstring("output [2, 3], weight [2, 3], element [1, 1]: analytic"));
  CHECK_THAT(result.report, ContainsSubstring("numeric"));
}

TEST_CASE("inputs come back as they were") {
  const Tensor x = gaussian({5}, "x");
  const Tensor before = x.clone();
  CHECK(check_cube(x));
  for (Index i = 0; i < 5; ++i) CHECK(x.at(i) == before.at(i));
}

TEST_CASE("inputs in f32 are refused with the reason") {
  REQUIRE_THROWS_WITH(check_cube(Tensor::zeros({2}, Dtype::f32)), ContainsSubstring("f32 has too few digits"));
}

TEST_CASE("an element within the step of a kink is left out, and said so") {
  const auto relu = [](const std::vector<Tensor>& in) {
    const Tensor& x = in[0];
    if (watched()) Tape::current()->observer()->kink(x);
    Tensor y = x.clone();
    for (double& v : y.values<double>()) v = std::max(v, 0.0);
    return record("relu", {&x}, y, [x](const Tensor& dy, Gradients& into) {
      for (Index i = 0; i < dy.size(); ++i) into[0].data<double>()[i] += x.at(i) > 0 ? dy.at(i) : 0;
    });
  };
  const auto result = gradcheck(relu, {Tensor::from<double>({3}, {1, 1e-7, -1})});
  CHECK(result);
  CHECK(result.redrawn == 1);
  CHECK(result.checked == 2);
  CHECK_FALSE(gradcheck(relu, {Tensor::from<double>({1}, {1e-7})}));
}
