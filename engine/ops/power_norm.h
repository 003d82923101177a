// Power normalization (Shen et al. 2020): division by a running second moment, with a gradient that is not the
// derivative.
#pragma once

#include <memory>

#include "../rows.h"
#include "../tensor.h"

namespace normlab {

// How the running numbers are used and updated. The paper and its authors' code differ: the code fills a warm-up and
// divides by the batch in backward. See nn/norm/power.h.
struct PowerRule {
  double alpha_forward = 0.9;   // share of the old running second moment that stays in an update
  double alpha_backward = 0.9;  // the same of nu
  // In updates 1 … warmup_steps forward divides by the batch's own second moment.
  Index warmup_steps = 0;
  // In updates before the last of the warm-up the running second moment first becomes the mean of all so far.
  bool average_in_warmup = false;
  // Backward divides by the batch's own second moment, not by what forward divided by.
  bool divide_by_batch = false;
  double epsilon = 1e-5;  // added to the second moment, inside the root
};

// The running numbers of a norm.
struct PowerState {
  Tensor second_moment;  // psi^2, f64 [features]; 1 at first
  Tensor nu;             // f64 [features]; 0 at first
  Index updates = 0;
};

// What each ghost batch showed; f64 [ghosts, features], with n the normalized x and g = weight * dy.
struct PowerStatistics {
  Tensor second_moment;  // mean of x^2
  Tensor gamma;          // mean of n^2, the paper's Gamma
  Tensor lambda;         // mean of g * n, the paper's Lambda; undefined until backward has run
};

struct PowerNormalized {
  Tensor y;
  std::shared_ptr<const PowerStatistics> statistics;
};

// n = x / sqrt(running second moment + epsilon), y = weight * n + bias, feature by feature, for x[tokens, features]
// packed as `rows` (Shen et al. 2020, algorithm 2). The rows that count are taken in ghost batches of at most
// `statistics_tokens` (0: all in one), each normalized by what the ones before it left, as if they were micro-batches.
// The state is not changed: see update(). No token gives an empty y. Error when of some
// tokens none counts.
PowerNormalized power_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows,
                           Index statistics_tokens, const PowerRule& rule, const PowerState& state);

// Folds what forward and backward showed into the running numbers, ghost batch by ghost batch. nu stays where it is
// when backward has not run.
void update(PowerState& state, const PowerRule& rule, const PowerStatistics& seen);

}  // namespace normlab
