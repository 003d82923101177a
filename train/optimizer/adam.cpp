// Adam and AdamW: one update, with the decay of each parameter set apart (Adam's is zero).
//
//   m <- beta1 m + (1 - beta1) g          exp_avg
//   v <- beta2 v + (1 - beta2) g^2        exp_avg_sq
//   p <- p - rate * decay * p - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// Kingma & Ba 2015, algorithm 1: epsilon stands outside the root, after the correction. The decay is that of Loshchilov
// & Hutter 2019, algorithm 2, times the whole rate rather than the schedule's factor alone, as in most implementations.
//
// Two cures for Adam's first steps, where v is the mean of few squares (Liu et al. 2020, section 3.2): a large epsilon
// (their Adam-eps, 1e-4), and frozen_steps (their Adam-2k, 2000), in which m and v are gathered and p stays as it is.
#include "adam.h"

#include <cmath>
#include <utility>

#include "../glob.h"

namespace normlab {

Adam::Adam(const std::vector<Named>& parameters, const AdamOptions& options, std::vector<double> decays)
    : Optimizer(parameters),
      options_(options),
      decays_(std::move(decays)),
      exp_avg_(zeros("exp_avg")),
      exp_avg_sq_(zeros("exp_avg_sq")) {}

Adam::Update Adam::update(double t) const {
  return {1 / (1 - std::pow(options_.beta1, t)), 1 / std::sqrt(1 - std::pow(options_.beta2, t)), options_.epsilon};
}

void Adam::step(double rate, double factor) {
  steps_.set(0, steps_.item() + 1);
  const double t = steps_.item();
  const Update of_step = update(t);
  const double rate_of_step = t <= static_cast<double>(options_.frozen_steps) ? 0 : rate;
  stretches_.each([&](Index, const Stretch& stretch) {
    visit_real("adam", parameters_[stretch.parameter].tensor.dtype(),
               [&]<class T>() { apply<T>(of_step, rate_of_step, factor, stretch); });
  });
}

template <class T>
void Adam::apply(const Update& update, double rate, double factor_of_gradients, const Stretch& stretch) {
  const T beta1 = static_cast<T>(options_.beta1);
  const T beta2 = static_cast<T>(options_.beta2);
  const T rest1 = static_cast<T>(1 - options_.beta1);
  const T rest2 = static_cast<T>(1 - options_.beta2);
  const T factor = static_cast<T>(factor_of_gradients);
  const T step_size = static_cast<T>(rate * update.scale);
  const T root = static_cast<T>(update.root);
  const T epsilon = static_cast<T>(update.epsilon);
  const T keep = static_cast<T>(1 - rate * decays_[stretch.parameter]);

  Tensor& parameter = parameters_[stretch.parameter].tensor;
  T* p = parameter.data<T>();
  T* gradient = parameter.gradient().data<T>();
  T* m = exp_avg_[stretch.parameter].tensor.data<T>();
  T* v = exp_avg_sq_[stretch.parameter].tensor.data<T>();
  for (Index i = stretch.begin; i < stretch.end; ++i) {
    const T g = factor * gradient[i];
    m[i] = beta1 * m[i] + rest1 * g;
    v[i] = beta2 * v[i] + rest2 * g * g;
    p[i] = keep * p[i] - step_size * m[i] / (std::sqrt(v[i]) * root + epsilon);
    gradient[i] = 0;
  }
}

std::vector<Named> Adam::state() const {
  std::vector<Named> all = {{"step", steps_, steps_.shape()}};
  all.insert(all.end(), exp_avg_.begin(), exp_avg_.end());
  all.insert(all.end(), exp_avg_sq_.begin(), exp_avg_sq_.end());
  return all;
}

void AdamOptions::fields(Fields& f) {
  OptimizerOptions::fields(f);
  f.real("beta1", beta1, {.at_least = 0, .below = 1}, "decay of the running mean of the gradient");
  f.real("beta2", beta2, {.at_least = 0, .below = 1}, "decay of the running mean of its square");
  f.real("epsilon", epsilon, {.above = 0}, "added to the root of the corrected mean square");
  f.integer("frozen_steps", frozen_steps, {.at_least = 0, .at_most = kMostSteps},
            "first steps that gather the running means and leave the parameters as they are");
}

std::unique_ptr<Optimizer> AdamOptions::make(const std::vector<Named>& parameters) const {
  return std::make_unique<Adam>(parameters, *this, std::vector<double>(parameters.size(), 0.0));
}

void AdamWOptions::fields(Fields& f) {
  AdamOptions::fields(f);
  f.real("weight_decay", weight_decay, {.at_least = 0}, "share of a parameter taken off each step, times the rate");
  f.strings("spare", spare, "parameters that are not decayed, as patterns over their paths (* for anything)");
}

std::unique_ptr<Optimizer> AdamWOptions::make(const std::vector<Named>& parameters) const {
  std::vector<double> decays;
  for (const Named& parameter : parameters) {
    double decay = weight_decay;
    for (const std::string& pattern : spare) {
      if (glob_match(pattern, parameter.path)) decay = 0;
    }
    decays.push_back(decay);
  }
  return std::make_unique<Adam>(parameters, *this, std::move(decays));
}

}  // namespace normlab
