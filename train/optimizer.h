// Optimizers: what turns gradients into the next parameters. Each kind is one file in optimizer/ and one line in
// registered() in optimizer.cpp.
#pragma once

#include <memory>
#include <vector>

#include "../engine/registry.h"
#include "../nn/module.h"

namespace normlab {

// Updates the parameters it was made for, in place. Its state is kept in tensors of the parameters' dtype.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // One update with the gradients as they stand, which are left as they are. `rate` is the learning rate of this step.
  virtual void step(double rate) = 0;

  // What it carries from step to step, by name: "exp_avg.<path of the parameter>" and the like. The tensors are
  // handles: a checkpoint reads them, and writing to them restores the optimizer.
  virtual std::vector<Named> state() const = 0;

 protected:
  // Error unless every parameter is a leaf of f32 or f64.
  explicit Optimizer(std::vector<Named> parameters);

  // For each parameter a tensor of zeros of its shape and dtype, named "<name>.<path>".
  std::vector<Named> zeros(const std::string& name) const;

  std::vector<Named> parameters_;
};

// The options of one kind.
class OptimizerOptions {
 public:
  explicit OptimizerOptions(double default_rate) : rate(default_rate) {}
  virtual ~OptimizerOptions() = default;

  // Lists `rate`; a kind lists its own fields after it.
  virtual void fields(Fields& f) {
    f.real("rate", rate, {.at_least = 0}, "learning rate at its peak; the schedule's factor multiplies it");
  }
  virtual std::unique_ptr<Optimizer> make(const std::vector<Named>& parameters) const = 0;

  double rate;
};

const std::vector<Registered<OptimizerOptions>>& registered(const OptimizerOptions*);
using OptimizerConfig = Choice<OptimizerOptions>;

// Sets the gradients of all parameters to zero.
void zero_gradients(const std::vector<Named>& parameters);

// Scales all gradients by max_norm / norm when their joint L2 norm is above max_norm (Pascanu et al. 2013, algorithm
// 1), and returns the norm before. max_norm 0 only measures; gradients whose norm is not finite are left as they are.
// Summed in double, over fixed pieces in fixed order.
double clip_gradients(const std::vector<Named>& parameters, double max_norm);

}  // namespace normlab
