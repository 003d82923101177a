// What all optimizers share, and the list of kinds.
#include "optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "optimizer/adam.h"
#include "optimizer/radam.h"
#include "optimizer/sgd.h"

namespace normlab {
namespace {

// The sum of squares of x[0 … n). Sixteen partial sums, so that it can be computed in vector registers.
template <class T>
double sum_of_squares(const T* x, Index n) {
  constexpr Index kLanes = 16;
  double sums[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (Index lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(x[i + lane]);
      sums[lane] += value * value;
    }
  }
  for (; i < n; ++i) sums[i % kLanes] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace

const std::vector<Registered<OptimizerOptions>>& registered(const OptimizerOptions*) {
  static const std::vector<Registered<OptimizerOptions>> all = {
      kind<OptimizerOptions, AdamOptions>("adam", "Adam (Kingma & Ba 2015)"),
      kind<OptimizerOptions, AdamWOptions>("adamw", "Adam with decoupled weight decay (Loshchilov & Hutter 2019)"),
      kind<OptimizerOptions, RAdamOptions>("radam", "Adam with rectified first steps (Liu et al. 2020)"),
      kind<OptimizerOptions, SgdOptions>("sgd", "stochastic gradient descent, with momentum if wanted"),
  };
  return all;
}

Stretches::Stretches(const std::vector<Named>& parameters) {
  constexpr Index kLength = 16384;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Index size = parameters[i].tensor.size();
    for (Index begin = 0; begin < size; begin += kLength) all_.push_back({i, begin, std::min(begin + kLength, size)});
    numbers_ += size;
  }
}

Optimizer::Optimizer(std::vector<Named> parameters) : parameters_(std::move(parameters)), stretches_(parameters_) {
  for (const Named& parameter : parameters_) {
    check(parameter.tensor.defined() && parameter.tensor.is_leaf() && parameter.tensor.dtype() != Dtype::i32,
          "optimizer: parameters must be leaves of f32 or f64, ", parameter.path, " is not");
  }
}

std::vector<Named> Optimizer::zeros(const std::string& name) const {
  std::vector<Named> state;
  for (const Named& parameter : parameters_) {
    state.push_back({name + "." + parameter.path, zeros_like(parameter.tensor), parameter.tensor.shape()});
  }
  return state;
}

double gradient_norm(const std::vector<Named>& parameters) {
  const Stretches stretches(parameters);
  std::vector<double> squares(static_cast<std::size_t>(stretches.count()));
  stretches.each([&](Index index, const Stretch& s) {
    const Tensor& gradient = parameters[s.parameter].tensor.gradient();
    squares[static_cast<std::size_t>(index)] = visit_real("gradient_norm", gradient.dtype(), [&]<class T>() {
      return sum_of_squares(gradient.data<T>() + s.begin, s.end - s.begin);
    });
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

double clip_factor(double norm, double max_norm) {
  return max_norm > 0 && std::isfinite(norm) && norm > max_norm ? max_norm / norm : 1;
}

}  // namespace normlab
