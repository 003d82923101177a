// Stochastic gradient descent, with momentum if wanted.
#pragma once

#include <memory>
#include <vector>

#include "../optimizer.h"

namespace normlab {

class SgdOptions : public OptimizerOptions {
 public:
  SgdOptions() : OptimizerOptions(0.1) {}
  void fields(Fields& f) override;
  std::unique_ptr<Optimizer> make(const std::vector<Named>& parameters) const override;

  double momentum = 0;
  bool nesterov = false;
};

}  // namespace normlab
