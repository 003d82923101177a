// Optimizers: what turns gradients into the next parameters. Each kind is one file in optimizer/ and one line in
// registered() in optimizer.cpp.
#pragma once

#include <memory>
#include <vector>

#include "../engine/parallel.h"
#include "../engine/registry.h"
#include "../nn/module.h"

namespace normlab {

// A run of one parameter's numbers.
struct Stretch {
  std::size_t parameter = 0;  // its place in the list
  Index begin = 0;
  Index end = 0;
};

// All parameters cut into stretches: the pieces of one parallel pass over a whole model, in which many small parameters
// cost no more than a large one (one block of memory for all of them was measured to be no faster). The cuts depend on
// the shapes alone, and so do the bits of what is computed.
class Stretches {
 public:
  explicit Stretches(const std::vector<Named>& parameters);
  Index count() const { return static_cast<Index>(all_.size()); }
  // Calls body(index, stretch) for each, on several threads.
  template <class Body>
  void each(Body&& body) const {
    parallel(
        count(), [&](Index i) { body(i, all_[static_cast<std::size_t>(i)]); }, 4 * numbers_ >= kWorthSharing);
  }

 private:
  std::vector<Stretch> all_;
  Index numbers_ = 0;  // in all of them
};

// Updates the parameters it was made for, in place. Its state is kept in tensors of the parameters' dtype.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // One update with `factor` times the gradients, at the learning rate `rate`. Leaves the gradients zero: a step is
  // bound by memory, so that all it does to a number is done in one pass.
  virtual void step(double rate, double factor) = 0;

  // What it carries from step to step, by name: "exp_avg.<path of the parameter>" and the like. The tensors are
  // handles: a checkpoint reads them, and writing to them restores the optimizer.
  virtual std::vector<Named> state() const = 0;

 protected:
  // Error unless every parameter is a leaf of f32 or f64.
  explicit Optimizer(std::vector<Named> parameters);

  // For each parameter a tensor of zeros of its shape and dtype, named "<name>.<path>".
  std::vector<Named> zeros(const std::string& name) const;

  std::vector<Named> parameters_;
  Stretches stretches_;
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

// The joint L2 norm of all gradients. Summed in double, over fixed pieces in fixed order.
double gradient_norm(const std::vector<Named>& parameters);

// What gradients of this joint norm are multiplied by so that it becomes max_norm where it is above (Pascanu et al.
// 2013, algorithm 1); 1 when max_norm is 0, or the norm is not finite.
double clip_factor(double norm, double max_norm);

}  // namespace normlab
