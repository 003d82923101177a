// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../optimizer.h"

namespace normlab {

class AdamOptions : public OptimizerOptions {
 public:
  AdamOptions() : OptimizerOptions(1e-3) {}
  void fields(Fields& f) override;
  std::unique_ptr<Optimizer> make(const std::vector<Named>& parameters) const override;

  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  std::int64_t frozen_steps = 0;
};

class AdamWOptions : public AdamOptions {
 public:
  void fields(Fields& f) override;
  std::unique_ptr<Optimizer> make(const std::vector<Named>& parameters) const override;

  double weight_decay = 0.01;
  // Glob patterns over parameter paths; what matches one is not decayed. A shift, or the scale of a norm, has no reason
  // to be near zero, so that these are spared unless told otherwise.
  std::vector<std::string> spare = {"*.bias", "*norm*.weight"};
};

// The running means of the gradient and of its square, and the one pass over them that a step is. A relative of Adam
// overrides how they make an update.
class Adam : public Optimizer {
 public:
  // `decays` has one decay for each parameter.
  Adam(const std::vector<Named>& parameters, const AdamOptions& options, std::vector<double> decays);

  void step(double rate, double factor) override;
  std::vector<Named> state() const override;

 protected:
  // p <- (1 - rate * decay) p - rate * scale * m / (root * sqrt(v) + epsilon)
  struct Update {
    double scale, root, epsilon;
  };
  // That of step t, the first being 1.
  virtual Update update(double t) const;

  const AdamOptions options_;

 private:
  template <class T>
  void apply(const Update& update, double rate, double factor, const Stretch& stretch);

  const std::vector<double> decays_;
  Tensor steps_ = Tensor::zeros({}, Dtype::f64);  // t, as a tensor so that it is saved with the rest
  std::vector<Named> exp_avg_;
  std::vector<Named> exp_avg_sq_;
};

}  // namespace normlab
