// What all optimizers share, and the list of kinds.
#include "optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../engine/parallel.h"
#include "optimizer/adam.h"
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
      kind<OptimizerOptions, SgdOptions>("sgd", "stochastic gradient descent, with momentum if wanted"),
  };
  return all;
}

Optimizer::Optimizer(std::vector<Named> parameters) : parameters_(std::move(parameters)) {
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

void zero_gradients(const std::vector<Named>& parameters) {
  for (const Named& parameter : parameters) parameter.tensor.gradient().fill(0);
}

double clip_gradients(const std::vector<Named>& parameters, double max_norm) {
  double squares = 0;
  for (const Named& parameter : parameters) {
    const Tensor& gradient = parameter.tensor.gradient();
    const Pieces pieces = reduction_pieces(gradient.size(), 1);
    std::vector<double> sums(static_cast<std::size_t>(pieces.count));
    visit_real("clip_gradients", gradient.dtype(), [&]<class T>() {
      const T* g = gradient.data<T>();
      parallel(pieces.count, [&](Index piece) {
        sums[static_cast<std::size_t>(piece)] =
            sum_of_squares(g + pieces.begin(piece), pieces.end(piece) - pieces.begin(piece));
      });
    });
    for (double sum : sums) squares += sum;
  }
  const double norm = std::sqrt(squares);
  if (max_norm <= 0 || !std::isfinite(norm) || norm <= max_norm) return norm;

  const double factor = max_norm / norm;
  for (const Named& parameter : parameters) {
    Tensor& gradient = parameter.tensor.gradient();
    visit_real("clip_gradients", gradient.dtype(), [&]<class T>() {
      T* g = gradient.data<T>();
      parallel_rows(gradient.size(), 1, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) g[i] *= static_cast<T>(factor);
      });
    });
  }
  return norm;
}

}  // namespace normlab
