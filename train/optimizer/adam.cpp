// Adam and AdamW: one update, with the decay of each parameter set apart (Adam's is zero).
//
//   m <- beta1 m + (1 - beta1) g          exp_avg
//   v <- beta2 v + (1 - beta2) g^2        exp_avg_sq
//   p <- p - rate * decay * p - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// Kingma & Ba 2015, algorithm 1: epsilon stands outside the root, after the correction. The decay is that of Loshchilov
// & Hutter 2019, algorithm 2, times the whole rate rather than the schedule's factor alone, as in most implementations.
#include "adam.h"

#include <fnmatch.h>

#include <cmath>
#include <utility>

namespace normlab {
namespace {

class Adam : public Optimizer {
 public:
  Adam(const std::vector<Named>& parameters, const AdamOptions& options, std::vector<double> decays)
      : Optimizer(parameters),
        options_(options),
        decays_(std::move(decays)),
        exp_avg_(zeros("exp_avg")),
        exp_avg_sq_(zeros("exp_avg_sq")) {}

  void step(double rate, double factor) override {
    steps_.set(0, steps_.item() + 1);
    const double t = steps_.item();
    const Step step{rate, factor, 1 - std::pow(options_.beta1, t), 1 - std::pow(options_.beta2, t)};
    stretches_.each([&](Index, const Stretch& stretch) {
      visit_real("adam", parameters_[stretch.parameter].tensor.dtype(), [&]<class T>() { update<T>(stretch, step); });
    });
  }

  std::vector<Named> state() const override {
    std::vector<Named> all = {{"step", steps_, steps_.shape()}};
    all.insert(all.end(), exp_avg_.begin(), exp_avg_.end());
    all.insert(all.end(), exp_avg_sq_.begin(), exp_avg_sq_.end());
    return all;
  }

 private:
  struct Step {
    double rate, factor;
    double correction1, correction2;  // 1 - beta^t
  };

  template <class T>
  void update(const Stretch& stretch, const Step& step) {
    const T beta1 = static_cast<T>(options_.beta1);
    const T beta2 = static_cast<T>(options_.beta2);
    const T rest1 = static_cast<T>(1 - options_.beta1);
    const T rest2 = static_cast<T>(1 - options_.beta2);
    const T epsilon = static_cast<T>(options_.epsilon);
    const T factor = static_cast<T>(step.factor);
    const T step_size = static_cast<T>(step.rate / step.correction1);
    const T root_correction = static_cast<T>(1 / std::sqrt(step.correction2));
    const T keep = static_cast<T>(1 - step.rate * decays_[stretch.parameter]);

    Tensor& parameter = parameters_[stretch.parameter].tensor;
    T* p = parameter.data<T>();
    T* gradient = parameter.gradient().data<T>();
    T* m = exp_avg_[stretch.parameter].tensor.data<T>();
    T* v = exp_avg_sq_[stretch.parameter].tensor.data<T>();
    for (Index i = stretch.begin; i < stretch.end; ++i) {
      const T g = factor * gradient[i];
      m[i] = beta1 * m[i] + rest1 * g;
      v[i] = beta2 * v[i] + rest2 * g * g;
      p[i] = keep * p[i] - step_size * m[i] / (std::sqrt(v[i]) * root_correction + epsilon);
      gradient[i] = 0;
    }
  }

  const AdamOptions options_;
  const std::vector<double> decays_;              // one for each parameter
  Tensor steps_ = Tensor::zeros({}, Dtype::f64);  // t, as a tensor so that it is saved with the rest
  std::vector<Named> exp_avg_;
  std::vector<Named> exp_avg_sq_;
};

}  // namespace

void AdamOptions::fields(Fields& f) {
  OptimizerOptions::fields(f);
  f.real("beta1", beta1, {.at_least = 0, .below = 1}, "decay of the running mean of the gradient");
  f.real("beta2", beta2, {.at_least = 0, .below = 1}, "decay of the running mean of its square");
  f.real("epsilon", epsilon, {.above = 0}, "added to the root of the corrected mean square");
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
      if (::fnmatch(pattern.c_str(), parameter.path.c_str(), 0) == 0) decay = 0;
    }
    decays.push_back(decay);
  }
  return std::make_unique<Adam>(parameters, *this, std::move(decays));
}

}  // namespace normlab
