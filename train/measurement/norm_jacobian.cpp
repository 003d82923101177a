// The spectral norm of a norm's Jacobian: see the header.
#include "norm_jacobian.h"

#include <algorithm>
#include <cmath>

#include "../../engine/ops/elementwise.h"
#include "../../engine/ops/product.h"
#include "../../engine/ops/reduce.h"
#include "../../nn/norm/layer.h"
#include "../experiment/statistics.h"

namespace normlab {
namespace {

constexpr double kLevel = 0.999;

// In two passes: an offset far larger than the deviation takes no digits away.
double variance(const Tensor& x) {
  const double mean = normlab::mean(x).item();
  double squares = 0;
  for (const double value : x.values<double>()) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(x.size());
}

double length(const Tensor& v) { return std::sqrt(sum_of_squares(v).item()); }

}  // namespace

Tensor jacobian(Norm& norm, const Tensor& x) {
  const Index d = x.size();
  Tensor copies = Tensor::empty({d, d}, Dtype::f64), unit = Tensor::zeros({d, d}, Dtype::f64);
  for (Index i = 0; i < d; ++i) {
    std::copy_n(x.data<double>(), d, copies.data<double>() + i * d);
    unit.set(i * d + i, 1);
  }
  copies.require_gradient();
  Tape tape;
  tape.backward(norm.forward(copies, Rows::equal(d, 1), {}), unit);
  return copies.gradient();
}

double spectral_norm(const Tensor& matrix, const RandomStream& stream) {
  constexpr int kMostIterations = 10000;
  constexpr double kEnough = 1e-13;
  Tensor v = Tensor::empty({1, matrix.columns()}, Dtype::f64);
  fill_normal(v, stream, 0, 1);
  double norm = 0;
  for (int i = 0; i < kMostIterations; ++i) {
    v = normlab::scale(v, 1 / length(v));
    const Tensor image = matmul(v, matrix, false, true);
    const double before = norm;
    norm = length(image);
    if (norm - before <= kEnough * norm) break;
    v = matmul(image, matrix);
  }
  return norm;
}

void NormJacobianOptions::fields(Fields& f) {
  norm.fields(f, "norm", "the norm; one that takes each token by itself");
  f.integer("features", features, {.at_least = 3, .at_most = 16384}, "of a token");
  const std::string problem = norm.problem(features, /*heads=*/1);
  f.require(problem.empty(), "norm", problem);
  f.real("scale", scale, {.above = 0}, "deviation of the inputs");
  f.real("offset", offset, {}, "mean of the inputs");
  f.integer("inputs", inputs, {.at_least = 2, .at_most = 1e6}, "tokens at which the Jacobian is taken");
}

std::vector<Measurement> NormJacobianOptions::measure(const MeasuringContext& context) const {
  Init init;
  init.seed = context.init_seed;
  init.dtype = Dtype::f64;
  const auto made = norm.make(init, features, /*heads=*/1);
  const auto* layer = dynamic_cast<const LayerNormOptions*>(&*norm);
  const bool closed_form = layer && norm.pre_scale == PreScale::none;

  std::vector<double> measured, expected;
  double worst = 0;
  for (Index i = 0; i < inputs; ++i) {
    const auto stream = [&](const char* name) {
      return random_stream(context.seed, name, static_cast<std::uint64_t>(i));
    };
    Tensor x = Tensor::empty({1, features}, Dtype::f64);
    fill_normal(x, stream("norm_jacobian.input"), offset, scale);
    measured.push_back(spectral_norm(jacobian(*made, x), stream("norm_jacobian.start")));
    if (closed_form) {
      expected.push_back(1 / std::sqrt(variance(x) + layer->epsilon));
      worst = std::max(worst, std::abs(measured.back() / expected.back() - 1));
    }
    context.progress(i + 1, inputs, "");
  }

  std::vector<Measurement> found;
  const auto add = [&](const char* quantity, const std::vector<double>& values) {
    const Interval interval = mean_interval(values, kLevel);
    found.push_back({quantity, "", interval.mean, interval.half_width, kLevel});
  };
  add("spectral_norm", measured);
  if (!closed_form) return found;
  add("spectral_norm_expected", expected);
  found.push_back({.quantity = "relative_difference", .value = worst});
  return found;
}

}  // namespace normlab
