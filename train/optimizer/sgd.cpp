// SGD. With momentum mu (Polyak 1964; Nesterov's form after Sutskever et al. 2013, with the rate outside the sum):
//
//   b <- mu b + g          momentum
//   p <- p - rate * b                       plain
//   p <- p - rate * (g + mu b)              nesterov
#include "sgd.h"

#include <utility>

namespace normlab {
namespace {

class Sgd : public Optimizer {
 public:
  Sgd(const std::vector<Named>& parameters, const SgdOptions& options) : Optimizer(parameters), options_(options) {
    if (options_.momentum > 0) momentum_ = zeros("momentum");
  }

  void step(double rate, double factor) override {
    stretches_.each([&](Index, const Stretch& stretch) {
      visit_real("sgd", parameters_[stretch.parameter].tensor.dtype(),
                 [&]<class T>() { update<T>(stretch, static_cast<T>(rate), static_cast<T>(factor)); });
    });
  }

  std::vector<Named> state() const override { return momentum_; }

 private:
  template <class T>
  void update(const Stretch& stretch, T rate, T factor) {
    Tensor& parameter = parameters_[stretch.parameter].tensor;
    T* p = parameter.data<T>();
    T* gradient = parameter.gradient().data<T>();
    if (momentum_.empty()) {
      for (Index i = stretch.begin; i < stretch.end; ++i) {
        p[i] -= rate * (factor * gradient[i]);
        gradient[i] = 0;
      }
      return;
    }
    T* b = momentum_[stretch.parameter].tensor.data<T>();
    const T mu = static_cast<T>(options_.momentum);
    const T along_gradient = options_.nesterov ? T(1) : T(0);
    const T along_momentum = options_.nesterov ? mu : T(1);
    for (Index i = stretch.begin; i < stretch.end; ++i) {
      const T g = factor * gradient[i];
      b[i] = mu * b[i] + g;
      p[i] -= rate * (along_gradient * g + along_momentum * b[i]);
      gradient[i] = 0;
    }
  }

  const SgdOptions options_;
  std::vector<Named> momentum_;  // empty without momentum
};

}  // namespace

void SgdOptions::fields(Fields& f) {
  OptimizerOptions::fields(f);
  f.real("momentum", momentum, {.at_least = 0, .below = 1}, "share of the last direction that is kept; 0 for none");
  f.boolean("nesterov", nesterov, "look ahead along the momentum");
  f.require(!nesterov || momentum > 0, "nesterov", "nesterov needs a momentum above 0");
}

std::unique_ptr<Optimizer> SgdOptions::make(const std::vector<Named>& parameters) const {
  return std::make_unique<Sgd>(parameters, *this);
}

}  // namespace normlab
