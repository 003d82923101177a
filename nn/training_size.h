// What training a model takes, found without building it.
#pragma once

#include "../engine/dtype.h"

namespace normlab {

struct TrainingSize {
  Index tokens = 0;             // of a micro-batch
  Index parameters = 0;         // numbers to learn
  double parameter_bytes = 0;   // these, their gradients and what the optimizer keeps of each
  double activation_bytes = 0;  // estimated: what a step keeps for the backward pass, and the logits' gradient
  double bytes() const { return parameter_bytes + activation_bytes; }
};

}  // namespace normlab
