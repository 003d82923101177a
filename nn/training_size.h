// What training a model takes, found without building it.
#pragma once

#include <algorithm>

#include "../engine/ops/loss.h"

namespace normlab {

struct TrainingSize {
  Index tokens = 0;             // of a micro-batch
  Index parameters = 0;         // numbers to learn
  double parameter_bytes = 0;   // these, their gradients and what the optimizer keeps of each
  double activation_bytes = 0;  // estimated: what a step keeps for the backward pass, and the most it needs in passing
  double bytes() const { return parameter_bytes + activation_bytes; }
};

// How many numbers linear_cross_entropy holds at once: the logits of a block, in whose memory their gradient will lie,
// the gradient of the output matrix, and of all tokens and of a block what the logits are made of and its gradient.
inline double numbers_of_loss(Index tokens, Index vocabulary, Index width) {
  const Index block = std::min(tokens, kLossRowsAtOnce);
  return static_cast<double>(block + width) * static_cast<double>(vocabulary) +
         2 * static_cast<double>(tokens + block) * static_cast<double>(width);
}

}  // namespace normlab
