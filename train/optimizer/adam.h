// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019).
#pragma once

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

}  // namespace normlab
