// What training a model takes, found without building it.
#pragma once

#include "../engine/ops/loss.h"

namespace normlab {

struct TrainingSize {
  Index tokens = 0;             // of a micro-batch
  Index parameters = 0;         // numbers to learn
  double parameter_bytes = 0;   // these, their gradients and what the optimizer keeps of each
  double activation_bytes = 0;  // estimated: what a step keeps for the backward pass, and the most it needs in passing
  double bytes() const { return parameter_bytes + activation_bytes; }
};

// How many numbers linear_cross_entropy holds at once: h[tokens, width] and dh; the logits, in whose memory their
// gradient will lie; and where they come in blocks, the gradient of the output matrix, a block of h and one of dh.
inline double numbers_of_loss(Index tokens, Index vocabulary, Index width) {
  const auto numbers = [](Index rows, Index columns) {
    return static_cast<double>(rows) * static_cast<double>(columns);
  };
  const double whole = numbers(2 * tokens, width);
  if (tokens <= kLossRowsAtOnce) return whole + numbers(tokens, vocabulary);
  return whole + numbers(kLossRowsAtOnce + width, vocabulary) + numbers(2 * kLossRowsAtOnce, width);
}

}  // namespace normlab
