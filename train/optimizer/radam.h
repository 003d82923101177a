// RAdam (Liu et al. 2020, "On the variance of the adaptive learning rate and beyond").
#pragma once

#include <memory>
#include <vector>

#include "adam.h"

namespace normlab {

class RAdamOptions : public AdamOptions {
 public:
  void fields(Fields& f) override;
  std::unique_ptr<Optimizer> make(const std::vector<Named>& parameters) const override;

  enum class Below { momentum, skip };

  double threshold = 4;
  Below below = Below::momentum;
};

// rho_t: how many gradients the running mean of squares is worth after t steps; t infinite gives rho_infinity, which
// every rho_t stays below.
double averaging_length(double beta2, double t);

// r_t, in (0, 1): what an update is multiplied by at that rho_t, which must be above 4.
double rectification(double beta2, double rho);

}  // namespace normlab
