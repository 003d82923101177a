// SGD. With momentum mu (Polyak 1964; Nesterov's form after Sutskever et al. 2013, with the rate outside the sum):
//
//   b <- mu b + g          momentum
//   p <- p - rate * b                       plain
//   p <- p - rate * (g + mu b)              nesterov
#include "sgd.h"

#include <utility>

#include "../../engine/parallel.h"

namespace normlab {
namespace {

class Sgd : public Optimizer {
 public:
  Sgd(const std::vector<Named>& parameters, const SgdOptions& options) : Optimizer(parameters), options_(options) {
    if (options_.momentum > 0) momentum_ = zeros("momentum");
  }

  void step(double rate) override {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      visit_real("sgd", parameters_[i].tensor.dtype(), [&]<class T>() { update<T>(i, static_cast<T>(rate)); });
    }
  }

  std::vector<Named> state() const override { return momentum_; }

 private:
  template <class T>
  void update(std::size_t index, T rate) {
    Tensor& parameter = parameters_[index].tensor;
    T* p = parameter.data<T>();
    const T* g = std::as_const(parameter.gradient()).data<T>();
    if (momentum_.empty()) {
      parallel_rows(parameter.size(), 2, [=](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) p[i] -= rate * g[i];
      });
      return;
    }
    T* b = momentum_[index].tensor.data<T>();
    const T mu = static_cast<T>(options_.momentum);
    const T along_gradient = options_.nesterov ? T(1) : T(0);
    const T along_momentum = options_.nesterov ? mu : T(1);
    parallel_rows(parameter.size(), 3, [=](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        b[i] = mu * b[i] + g[i];
        p[i] -= rate * (along_gradient * g[i] + along_momentum * b[i]);
      }
    });
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
